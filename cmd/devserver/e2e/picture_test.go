package e2e

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"quantlab/core/lab/wire"
)

// photo is a PNG file of a seven on paper as a phone sees it: pale, brighter on one side, with the grain of a sensor. The digit is
// small and stands beside the middle.
func photo(t *testing.T) []byte {
	t.Helper()
	im := image.NewRGBA(image.Rect(0, 0, 640, 480))
	s := seven(200)
	grain := uint32(1)
	for y := range 480 {
		for x := range 640 {
			nearest := math.Inf(1)
			for i := 0; i < len(s); i += 2 {
				nearest = min(nearest, math.Hypot(float64(x)-200-float64(s[i])/wire.DrawingGrid*300, float64(y)-100-float64(s[i+1])/wire.DrawingGrid*300))
			}
			grain = grain*1664525 + 1013904223 // Numerical Recipes' generator
			light := 225 - float64(x)/8 + float64(grain>>28) - 8
			ink := min(max((11-nearest)/3, 0), 1)
			v := uint8(light*(1-ink) + 45*ink)
			im.Set(x, y, color.RGBA{v, v, uint8(min(float64(v)*1.04, 255)), 255})
		}
	}
	return encodePNG(t, im)
}

func encodePNG(t *testing.T, im image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, im); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// blackPNG is a PNG file of some thousand bytes whose pixels, one bit each, are all black, however many they are.
func blackPNG(side int) []byte {
	var b bytes.Buffer
	b.WriteString("\x89PNG\r\n\x1a\n")
	chunk := func(name string, data []byte) {
		binary.Write(&b, binary.BigEndian, uint32(len(data)))
		body := append([]byte(name), data...)
		b.Write(body)
		binary.Write(&b, binary.BigEndian, crc32.ChecksumIEEE(body))
	}
	header := binary.BigEndian.AppendUint32(nil, uint32(side))
	header = binary.BigEndian.AppendUint32(header, uint32(side))
	chunk("IHDR", append(header, 1, 0, 0, 0, 0))
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	row := make([]byte, 1+(side+7)/8)
	for range side {
		z.Write(row)
	}
	z.Close()
	chunk("IDAT", packed.Bytes())
	chunk("IEND", nil)
	return b.Bytes()
}

// A photo of a digit on paper is read, whether it is chosen, dropped or pasted.
func TestPicture(t *testing.T) {
	data := photo(t)
	path := filepath.Join(t.TempDir(), "seven.png")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	tb := drawing(t, emptyPad)
	read := func(how string) {
		t.Helper()
		tb.until("the picture that was "+how+" is read as a 7", allSay("7", digitNets...)+` && location.search.includes('picture=')`)
		tb.click("#draw-clear")
		tb.until("the pad is empty", says("mnist-lab1")+` === '– – – –'`)
	}
	tb.do(chromedp.SetUploadFiles("#picture-file", []string{path}, chromedp.NodeReady))
	tb.until("it is there", allSay("7", digitNets...))
	picture(tb, "draw-photo")
	read("chosen")
	carry := fmt.Sprintf(`(() => {
		const data = new DataTransfer()
		data.items.add(new File([Uint8Array.from(atob('%s'), c => c.charCodeAt(0))], 'seven.png', {type: 'image/png'}))
		return data
	})()`, base64.StdEncoding.EncodeToString(data))
	js[bool](tb, `document.querySelector('.draw').dispatchEvent(new DragEvent('drop', {bubbles: true, cancelable: true, dataTransfer: `+carry+`})) || true`)
	read("dropped")
	js[bool](tb, `document.body.dispatchEvent(new ClipboardEvent('paste', {bubbles: true, cancelable: true, clipboardData: `+carry+`})) || true`)
	read("pasted")
}

// What is no picture of a digit has a sentence, and the pad goes on.
func TestBadPictures(t *testing.T) {
	whole := photo(t)
	white := image.NewGray(image.Rect(0, 0, 64, 64))
	for i := range white.Pix {
		white.Pix[i] = 255
	}
	dir := t.TempDir()
	tb := drawing(t, "?strokes=")
	for _, c := range []struct {
		name     string
		data     []byte
		sentence string
	}{
		{"huge.png", blackPNG(10000), "“huge.png” has 100 megapixels: choose a picture of at most 64."},
		{"really-a-pdf.png", []byte("%PDF-1.7\n%âãÏÓ\n1 0 obj\n"), "“really-a-pdf.png” is a PDF, whatever its name says"},
		{"nothing.png", nil, "“nothing.png” is empty"},
		{"words.png", []byte("this is no picture at all, only words\n"), "“words.png” is no picture that a browser reads"},
		{"half.png", whole[:200], "“half.png”"},
		{"header.png", whole[:20], "“header.png” is damaged"},
		{"white.png", encodePNG(t, white), "picture is empty"},
		{"black.png", blackPNG(100), "picture is empty"},
	} {
		path := filepath.Join(dir, c.name)
		if err := os.WriteFile(path, c.data, 0o644); err != nil {
			t.Fatal(err)
		}
		tb.do(chromedp.SetUploadFiles("#picture-file", []string{path}, chromedp.NodeReady))
		const status = `document.querySelector('.draw').innerText.toLowerCase()`
		tb.until(c.name+" has its sentence", fmt.Sprintf(`%s.includes(%q.toLowerCase())`, status, c.sentence))
		tb.until("it is announced", fmt.Sprintf(`document.querySelector('#announcer').innerText.toLowerCase().includes(%q.toLowerCase())`, c.sentence))
		if text := js[string](tb, says("mnist-lab1")); text != "– – – –" {
			t.Errorf("%s: the rows say %s", c.name, text)
		}
	}
	tb.mouseStroke(tb.pad(), seven(60))
	tb.until("the pad goes on", allSay("7", "mnist-lab1"))
}

// A pad that is black all over is answered, too.
func TestBlackPad(t *testing.T) {
	runs := binary.AppendUvarint([]byte{0}, wire.DigitSide*wire.DigitSide)
	runs = append(runs, bytes.Repeat([]byte{255}, wire.DigitSide*wire.DigitSide)...)
	tb := drawing(t, "?digits=both&picture="+base64.RawURLEncoding.EncodeToString(append(runs, runs...)))
	const all = `/^\d \d \d \d$/.test(%s)`
	tb.until("it is answered", fmt.Sprintf(all, says("mnist-lab1"))+" && "+fmt.Sprintf(all, says("mnist-lab2")))
	tb.click("#draw-invert")
	tb.until("and the other way round", `location.search.includes('invert=1') && document.querySelector('.answer-card').dataset.state === 'fresh' && `+fmt.Sprintf(all, says("mnist-lab1")))
}
