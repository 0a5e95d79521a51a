package e2e

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
	"quantlab/core/scheme"
)

// This browser answers the three questions of Sensitivity; what hangs on no clock is what this process finds. A plan of the front can
// be taken into the other views.
func TestSensitivity(t *testing.T) {
	want := studied(t)
	tb := openAt(t, newGate(t, shared.base).URL, "/sensitivity?"+asked, 3*time.Minute)
	tb.press("#sens-measure")
	tb.over(wire.OpSensitivity)
	tb.layersAre(want.Sensitivity[0])
	tb.press("#front-search")
	tb.over(wire.OpPlans)
	tb.plansAre(want.Plans[0])
	tb.press("#sweep-draw")
	tb.over(wire.OpSweep)
	tb.sweepIs(want.Sweeps[0])
	picture(tb, "sensitivity-browser")
	tb.usePlan()
}

// layersAre compares the rows of single layers with those measured here.
func (tb *tab) layersAre(want wire.Sensitivity) {
	tb.Helper()
	got := tb.kept(wire.OpSensitivity).Sensitivity[0]
	if len(got.Rows) != len(want.Rows) || len(got.Rows) != 3*2*2 {
		tb.Fatalf("%d rows, want %d: three variants, two layers, each alone and all but it", len(got.Rows), len(want.Rows))
	}
	for i, r := range got.Rows {
		w := want.Rows[i]
		name := fmt.Sprintf("%s %s %s", r.Variant, r.Mode, r.Layer)
		if r.Variant != w.Variant || r.Layer != w.Layer || r.Mode != w.Mode || r.Plan != w.Plan {
			tb.Fatalf("row %d is %s %s, want %s %s %s %s", i, name, r.Plan, w.Variant, w.Mode, w.Layer, w.Plan)
		}
		if r.Correct != w.Correct || r.Total != w.Total || r.SizeBytes != w.SizeBytes {
			tb.Errorf("%s: %d of %d right in %d bytes, want %d of %d in %d", name, r.Correct, r.Total, r.SizeBytes, w.Correct, w.Total, w.SizeBytes)
		}
		if report.Flips(r.Paired) != report.Flips(w.Paired) {
			tb.Errorf("%s: %s, want %s", name, report.Flips(r.Paired), report.Flips(w.Paired))
		}
		shown := tb.text(fmt.Sprintf(`tr[data-model="%s"][data-layer="%s"][data-mode="%s"][data-variant="%s"]`, r.Model, r.Layer, r.Mode, r.Variant))
		for _, figure := range []string{report.Flips(w.Paired), report.MB(w.SizeBytes), "±"} {
			if !strings.Contains(shown, figure) {
				tb.Errorf("%s: no %q in %q", name, figure, shown)
			}
		}
	}
	if n := js[int](tb, `document.querySelectorAll('tr[data-mode="only"], tr[data-mode="except"]').length`); n != len(want.Rows) {
		tb.Errorf("%d rows are shown, want %d", n, len(want.Rows))
	}
}

// plansAre compares the plans that were tried with those tried here.
func (tb *tab) plansAre(want wire.Plans) {
	tb.Helper()
	got, searched := tb.kept(wire.OpPlans).Plans[0].Searches[0], want.Searches[0]
	if !got.Exhaustive || got.Plans != searched.Plans || len(got.Points) != len(searched.Points) {
		tb.Fatalf("%d of %d plans tried, want %d of %d", len(got.Points), got.Plans, len(searched.Points), searched.Plans)
	}
	points := map[string]wire.PlanPoint{}
	for _, p := range searched.Points {
		points[p.Plan] = p
	}
	front := 0
	for _, p := range got.Points {
		w, ok := points[p.Plan]
		if !ok || p.Correct != w.Correct || p.Total != w.Total || p.SizeBytes != w.SizeBytes {
			tb.Errorf("%s: %d of %d right in %d bytes, want %d of %d in %d", p.Plan, p.Correct, p.Total, p.SizeBytes, w.Correct, w.Total, w.SizeBytes)
		}
		if len(p.Fronts) > 0 && p.Fronts[0] == "1" {
			front++
		}
	}
	tb.until("the front is drawn and listed", fmt.Sprintf(`document.querySelectorAll('.front-table tr[data-plan]').length === %d && document.querySelectorAll('svg.front .mark').length === %[1]d`, front))
}

// sweepIs compares the calibrations with those made here.
func (tb *tab) sweepIs(want wire.Sweep) {
	tb.Helper()
	got := tb.kept(wire.OpSweep).Sweeps[0]
	if len(got.Points) != len(want.Points) {
		tb.Fatalf("%d calibrations, want %d", len(got.Points), len(want.Points))
	}
	for i, p := range got.Points {
		if w := want.Points[i]; p != w {
			tb.Errorf("calibration %d: %+v, want %+v", i, p, w)
		}
	}
	tb.until("each calibration is a dot", fmt.Sprintf(`document.querySelectorAll('svg.sweep .sample').length === %d`, len(want.Points)))
}

// usePlan chooses the smallest plan of the front, and takes it into Inspect and into Draw.
func (tb *tab) usePlan() {
	tb.Helper()
	const smallest = `.front-table tr[data-plan]`
	text := js[string](tb, `document.querySelector('`+smallest+`').dataset.plan`)
	plan, err := scheme.ParsePlan(text, 2)
	if err != nil {
		tb.Fatal(err)
	}
	tb.press(smallest + ` input`)
	tb.until("the plan is chosen, layer by layer", `document.querySelector('`+smallest+`[data-state="chosen"]') && document.querySelectorAll('#front-chosen .plan-layers li').length === 2`)
	tb.at("/sensitivity", "frontplan=")
	tb.press(`#front-chosen a[href^="/inspect"]`)
	tb.view("Inspect")
	tb.measured()
	query, err := url.ParseQuery(strings.TrimPrefix(js[string](tb, `location.search`), "?"))
	if err != nil {
		tb.Fatal(err)
	}
	// Inspect spells no plan that is the lab's.
	if got, err := scheme.ParsePlan(query.Get("plan"), 2); query.Get("net") != "" && query.Get("net") != "mnist-lab1" || err != nil || got.String() != plan.String() {
		tb.Errorf("Inspect has the plan %s of %s, not %s", query.Get("plan"), query.Get("net"), plan)
	}
	js[any](tb, `history.back()`)
	tb.view("Sensitivity")
	tb.press(`#front-chosen a[href^="/draw"]`)
	tb.view("Draw")
	tb.until("the plan is a variant of Draw", `/^\d/.test(document.querySelector('tr[data-model="mnist-lab1"][data-variant="custom"] [data-col="answer"]')?.innerText)`)
}

// A link brings the choices of Sensitivity and Training to a reader who has never been here.
func TestLinkRestoresChoices(t *testing.T) {
	const fields = `[...document.querySelectorAll('.controls input')].filter(i => i.type === 'text' || i.checked).map(i => i.name + '=' + i.value).join(' ')`
	for _, c := range []struct{ path, query, want string }{
		{"/sensitivity", "sens=sst2-lab2&senswhere=native&sensruns=7&sensvariants=dynamic-qint8,static-qint8&sweepsizes=16,32&sweepseeds=4",
			"sens=sst2-lab2 senswhere=native sensexamples=0 sensruns=7 sensvariants=dynamic-qint8 sensvariants=static-qint8 sweepsizes=16, 32 sweepseeds=4"},
		{"/training", "train=mnist-lab2&amp=f16&trainwhere=native&trainseeds=2&trainlimit=500",
			"train=mnist-lab2 amp=f16 trainwhere=native trainlimit=500 trainepochs=2 trainseeds=2"},
	} {
		tb := open(t, c.path+"?"+c.query, time.Minute)
		tb.works()
		link := tb.copied()
		other := elsewhere(t, link, time.Minute)
		other.works()
		if got := js[string](other, fields); got != c.want {
			t.Errorf("%s brings\n%s, want\n%s", link, got, c.want)
		}
		if again := other.copied(); again != link {
			t.Errorf("the link became %s, and was %s", again, link)
		}
		tb.close()
		other.close()
	}
	bad := open(t, "/sensitivity?sens=resnet&sensruns=0&sweepsizes=none", time.Minute)
	for _, key := range []string{"sens=resnet", "sensruns=0", "sweepsizes=none"} {
		bad.until("a notice names "+key, fmt.Sprintf(`document.querySelector('.notices').innerText.includes(%s)`, strconv.Quote(key)))
	}
}
