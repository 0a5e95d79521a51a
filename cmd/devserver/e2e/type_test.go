package e2e

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// says is JavaScript for what the variants of a model answer, one word each; a dash is no answer.
func says(model string) string {
	return `[...document.querySelectorAll('tr[data-model="` + model + `"] td[data-col="answer"]')].map(e => e.innerText.split(/\s/)[0]).join(' ')`
}

// sentence opens the Type view, and waits for its first answer.
func sentence(t *testing.T, query string) *tab {
	t.Helper()
	tb := open(t, "/type"+query, 2*time.Minute)
	tb.until("the box can be used", `(e => e && !e.disabled)(document.querySelector('#sentence'))`)
	return tb
}

func TestTypeASentence(t *testing.T) {
	tb := sentence(t, "")
	tb.until("all variants answered the first sentence", says("sst2-lab2")+` === 'positive positive positive positive'`)
	tb.do(chromedp.Click("#sentence"))
	js[bool](tb, `document.querySelector('#sentence').select() || true`)
	tb.do(chromedp.KeyEvent("a dull, tedious blorp of a film"))
	tb.until("all variants answered what was typed", says("sst2-lab2")+` === 'negative negative negative negative'`)
	tb.until("the unknown word is told", `document.querySelector('.unknown-words').innerText.includes('not among the 5000 most frequent')`)
	tb.until("the words are chips", `document.querySelectorAll('.chips .chip.known').length === 7 && document.querySelectorAll('.chips .chip.unknown').length === 1`)
	tb.until("the address follows", `location.search === '?text=a+dull%2C+tedious+blorp+of+a+film'`)
	tb.until("the answer is announced", `document.querySelector('#announcer').innerText.includes('All four variants say negative')`)

	tb.click("#mix-words")
	tb.until("the order does not matter", `document.querySelector('#sentence-order').innerText.includes('all 8 logits are the same to the last bit')`)
	if text := js[string](tb, `document.querySelector('#sentence').value`); text == "a dull, tedious blorp of a film" || len(text) != len("a dull, tedious blorp of a film") {
		t.Errorf("the words became %q", text)
	}
	tb.click("#put-back")
	tb.until("the words are back", `document.querySelector('#sentence').value === 'a dull, tedious blorp of a film'`)
	tb.click("#clear-sentence")
	tb.until("nothing is answered", `document.querySelector('.empty-title')`)
}

// A link restores its sentence to the character, and none of it is taken for markup.
func TestTypeLinks(t *testing.T) {
	for _, text := range []string{"👩‍🔬 🇩🇪 + & = # ?", "סרט נהדר\nמאוד", "  two  blanks \n", "\x01\tx", `</textarea><script>document.title = "hostile"</script>"'<b>`} {
		tb := sentence(t, "?text="+url.QueryEscape(text))
		tb.until("the link is heeded", `document.querySelector('#sentence-state').innerText.includes('The sentence of the link')`)
		tb.until("its text is in the box", `document.querySelector('#sentence').value !== ''`)
		if got := js[string](tb, `document.querySelector('#sentence').value`); got != text {
			t.Errorf("%q became %q", text, got)
		}
		if js[string](tb, `document.title`) == "hostile" {
			t.Error("a link's text was run")
		}
		tb.close()
	}
	tb := sentence(t, "?text="+strings.Repeat("x", 5000))
	tb.until("too long a link is refused", `document.body.innerText.includes('a link carries at most 4000')`)
}

// 100,000 characters are cut to what the box takes, and the page goes on.
func TestTypeTooMuch(t *testing.T) {
	tb := sentence(t, "")
	js[bool](tb, `(e => { e.focus(); e.select(); return document.execCommand('insertText', false, 'film 🎬 '.repeat(12500)) })(document.querySelector('#sentence'))`)
	tb.until("the cut is told", `/takes (at most )?8,192 bytes/.test(document.querySelector('#sentence-state').innerText)`)
	tb.until("the text is answered", `/^(positive|negative)( (positive|negative)){3}$/.test(`+says("sst2-lab2")+`)`)
	tb.until("the address leaves it out", `location.search === '' && document.querySelector('#sentence-state').innerText.includes('Too long for a link')`)
	if n := js[int](tb, `new TextEncoder().encode(document.querySelector('#sentence').value).length`); n > 8192 {
		t.Errorf("the box holds %d bytes", n)
	}
}
