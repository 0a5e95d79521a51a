package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"

	"quantlab/core/hardware"
	"quantlab/core/lab/wire"
)

// A training is watched: its curves grow, then both kinds have a row, and the page says whether the low type's products are real.
func TestTraining(t *testing.T) {
	realBF16 := slices.Contains(hardware.Detect().Instructions, "AVX-512 BF16")
	for _, c := range []struct {
		host, kind string
		emulated   bool
	}{
		{wire.Browser, wire.Float16, true},
		{wire.Native, wire.BFloat16, !realBF16},
	} {
		t.Run(c.host, func(t *testing.T) {
			tb := openAt(t, newGate(t, shared.base).URL, "/training?trainlimit=12000&trainepochs=1&trainseeds=1&amp="+c.kind+"&trainwhere="+c.host, 2*time.Minute)
			hint := map[bool]string{true: "its products are emulated", false: "the times are real"}[c.emulated]
			tb.until("the page says how it multiplies", `document.querySelector('#train-settings').innerText.includes('`+hint+`')`)
			js[bool](tb, `(() => {
				window.curves = 0
				const look = () => {
					const said = document.querySelector('#train-now')?.innerText || ''
					if (said.startsWith('Now training') && document.querySelector('#train-loss svg')) curves++
					requestAnimationFrame(look)
				}
				look()
				return true
			})()`)
			tb.press("#train")
			if c.host == wire.Browser { // natively it may be over before anything is drawn
				tb.until("there are curves while it trains", `window.curves > 0`)
			}
			tb.over(wire.OpAMP)
			tb.until("both kinds have a row", `document.querySelector('tr[data-variant="fp32"][data-model="mnist-lab1"]') && document.querySelector('tr[data-variant="amp"][data-model="mnist-lab1"]')`)
			row, card := tb.text(`tr[data-variant="amp"]`), tb.text(`#train-`+c.host)
			if emulated := strings.Contains(row, "emulated: no claim"); emulated != c.emulated || strings.Contains(card, "The products were emulated") != c.emulated {
				t.Errorf("emulated is %v: the row says %q, the card %q", c.emulated, row, card)
			}
			if c.emulated && (strings.Contains(tb.text(`tr[data-variant="amp"] :is([data-col="time"], [data-col="matrix"])`), "×")) {
				t.Errorf("a claim about the speed of what is emulated: %q", row)
			}
			if !strings.Contains(row, "%") || !strings.Contains(row, "±") {
				t.Errorf("the row has no accuracy or no latency: %q", row)
			}
			if n := js[int](tb, `document.querySelectorAll('#train-scale').length`); (n == 1) != (c.kind == wire.Float16) {
				t.Errorf("%d drawings of the loss scale", n)
			}
			amp := tb.kept(wire.OpAMP).AMP[0].Rows[0]
			if amp.Type != c.kind || amp.Emulated != c.emulated || len(amp.Mixed) != 1 || amp.Mixed[0].Steps == 0 || len(amp.Mixed[0].Curve) == 0 {
				t.Errorf("kept: %+v", amp)
			}
			picture(tb, "training-"+c.host)
		})
	}
}
