package custom

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"quantlab/core/internal/must"
	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

// drawn is a picture of a bar: paper of one shade, ink of another.
func drawn(t testing.TB, side int, paper, ink uint8) []byte {
	g := image.NewGray(image.Rect(0, 0, side, side))
	for i := range g.Pix {
		g.Pix[i] = paper
	}
	for y := side / 5; y < 4*side/5; y++ {
		for x := 2 * side / 5; x < 3*side/5; x++ {
			g.SetGray(x, y, color.Gray{Y: ink})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, g); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// zipped packs files, given as names and contents in turn.
func zipped(t testing.TB, files ...any) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		w := must.Have(z.Create(files[i].(string)))(t)
		if _, err := w.Write(files[i+1].([]byte)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipped(t testing.TB, data []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// idx is an IDX file of bytes.
func idx(data []byte, dims ...uint32) []byte {
	out := binary.BigEndian.AppendUint32(nil, 0x800|uint32(len(dims)))
	for _, d := range dims {
		out = binary.BigEndian.AppendUint32(out, d)
	}
	return append(out, data...)
}

func folder(files ...any) (out []File) {
	for i := 0; i < len(files); i += 2 {
		out = append(out, File{files[i].(string), files[i+1].([]byte)})
	}
	return out
}

// byClass counts the examples of each class.
func byClass(s *Set) string {
	n := make([]int, len(s.Classes))
	for _, l := range s.Labels() {
		n[l]++
	}
	var out []string
	for i, name := range s.Classes {
		out = append(out, fmt.Sprintf("%s:%d", name, n[i]))
	}
	return strings.Join(out, " ")
}

func TestPictures(t *testing.T) {
	light, dark := drawn(t, 28, 0, 255), drawn(t, 28, 255, 0)
	photo := drawn(t, 120, 230, 30)
	junk := []any{".DS_Store", []byte("x"), "__MACOSX/3/._a.png", light, "d/readme.txt", []byte("hello")}
	for name, c := range map[string]struct {
		files   []File
		classes string
		notes   string
	}{
		"folder":       {folder("d/3/a.png", light, "d/3/b.png", light, "d/10/c.png", light, "d/7/c.png", light), "3:2 7:1 10:1", ""},
		"zip":          {folder("d.zip", zipped(t, "3/a.png", light, "7/b.png", light)), "3:1 7:1", ""},
		"from Windows": {folder("d.zip", zipped(t, `d\3\a.png`, light, `d\7\b.png`, light)), "3:1 7:1", ""},
		"junk":         {folder("d.zip", zipped(t, append([]any{"d/3/a.png", light}, junk...)...)), "3:1", "1 file of another kind was ignored"},
		"splits":       {folder("d/train/3/a.png", light, "d/train/7/b.png", light, "d/test/7/c.png", light, "d/test/3/d.png", light), "3:1 7:1", "the test part was taken, 2 files"},
		"training":     {folder("d/train/3/a.png", light), "3:1", ""},
		"names":        {folder("d/cat/a.png", light, "d/ant/b.png", light), "ant:1 cat:1", ""},
		"zeros":        {folder("d/03/a.png", light, "d/3/b.png", light), "3:2", ""},
		"inverted":     {folder("d/3/a.png", light, "d/4/b.png", dark), "3:1 4:1", "1 image was dark on light, and inverted"},
		"photos":       {folder("d/3/a.png", photo, "d/4/b.png", photo, "d/5/c.png", drawn(t, 50, 9, 9)), "3:1 4:1 5:0", "2 images of another size than 28x28 were made MNIST's"},
		"in no folder": {folder("a.png", light, "3/b.png", light), "3:1", "1 image in no folder was ignored"},
	} {
		t.Run(name, func(t *testing.T) {
			set, facts, err := Read(t.Context(), c.files, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := byClass(set); got != c.classes {
				t.Errorf("classes %s, expected %s", got, c.classes)
			}
			if notes := strings.Join(facts.Notes, "\n"); !strings.Contains(notes, c.notes) || c.notes == "" && notes != "" {
				t.Errorf("notes %q, expected %q", notes, c.notes)
			}
			if facts.Data != nn.MNIST || facts.Examples != set.Len() || facts.Format != "PNG images in folders" {
				t.Errorf("facts %+v", facts)
			}
			for i := range set.Len() {
				pixels := set.Images.Pixels[i*784 : (i+1)*784]
				if pixels[0] != 0 || pixels[14*28+14] < 200 {
					t.Errorf("image %d is not light on dark: corner %d, middle %d", i, pixels[0], pixels[14*28+14])
				}
			}
		})
	}
}

// TestShuffled: the first images are of all classes.
func TestShuffled(t *testing.T) {
	var files []File
	light := drawn(t, 28, 0, 255)
	for i := range 100 {
		files = append(files, File{fmt.Sprintf("d/%d/%d.png", i/10, i), light})
	}
	set, _, err := Read(t.Context(), files, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(slices.Compact(slices.Sorted(slices.Values(set.Labels()[:30])))); n < 8 {
		t.Errorf("the first 30 of 100 images are of %d classes", n)
	}
	slices.Reverse(files)
	again, _, err := Read(t.Context(), files, nil)
	if err != nil || !slices.Equal(again.Labels(), set.Labels()) {
		t.Errorf("the order of the files changes the order of the examples (error %v)", err)
	}
}

func TestArrays(t *testing.T) {
	bar := make([]byte, 784)
	for y := 6; y < 22; y++ {
		bar[y*28+14] = 255
	}
	two := slices.Concat(bar, bar)
	white := slices.Clone(two)
	invert(white)
	wide := make([]byte, 3*32*32)
	for i := range wide {
		if i%32 > 13 && i%32 < 18 && i/32%32 > 4 && i/32%32 < 28 {
			wide[i] = 250
		}
	}
	labels := idx([]byte{7, 3}, 2)
	for name, c := range map[string]struct {
		files   []File
		classes string
		notes   string
	}{
		"plain":    {folder("images", idx(two, 2, 28, 28), "labels", labels), "3:1 7:1", ""},
		"packed":   {folder("i.gz", gzipped(t, idx(two, 2, 28, 28)), "l.gz", gzipped(t, labels)), "3:1 7:1", ""},
		"zip":      {folder("mnist.zip", zipped(t, "i.gz", gzipped(t, idx(two, 2, 28, 28)), "l", labels)), "3:1 7:1", ""},
		"inverted": {folder("images", idx(white, 2, 28, 28), "labels", labels), "3:1 7:1", "2 images were dark on light, and inverted"},
		"of 32":    {folder("images", idx(wide, 3, 32, 32), "labels", idx([]byte{1, 1, 1}, 3)), "1:3", "3 images of another size"},
		"MNIST's four": {
			folder("train-images-idx3-ubyte", idx(bar, 1, 28, 28), "train-labels-idx1-ubyte", idx([]byte{1}, 1), "t10k-images-idx3-ubyte", idx(two, 2, 28, 28), "t10k-labels-idx1-ubyte", labels),
			"3:1 7:1", "the test part was taken",
		},
	} {
		set, facts, err := Read(t.Context(), c.files, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, notes := byClass(set), strings.Join(facts.Notes, "\n"); got != c.classes || !strings.Contains(notes, c.notes) || c.notes == "" && notes != "" {
			t.Errorf("%s: %s with notes %q, expected %s with %q", name, got, notes, c.classes, c.notes)
		}
		if set.Images.Pixels[14*28+14] < 200 || set.Images.Pixels[0] != 0 {
			t.Errorf("%s: the bar is not light on dark", name)
		}
	}
}

func TestTables(t *testing.T) {
	for name, c := range map[string]struct {
		file, text string
		first      string // sentence
		classes    string
		notes      string
	}{
		"GLUE":            {"dev.tsv", "sentence\tlabel\nit 's a \"charming\" journey . \t1\nbleak\t0\n", `it 's a "charming" journey .`, "negative:1 positive:1", "the labels 0 and 1"},
		"comma":           {"d.csv", "text,label\n\"good, really\",positive\nbad one,negative\n", "good, really", "negative:1 positive:1", ""},
		"label first":     {"d.csv", "label;text\n1;a fine film\n0;a bad film\n1;oh\n", "a fine film", "negative:1 positive:2", "the labels"},
		"no heading":      {"d.csv", "a fine film,pos\na bad film,neg\nboring it is,neg\n", "a fine film", "negative:2 positive:1", "the labels neg and pos"},
		"other heading":   {"d.csv", "reviewed,judgement\na fine film,yes\na bad film,no\nx y,no\n", "a fine film", "no:2 yes:1", ""},
		"index column":    {"d.tsv", "index\twords\tverdict\n0\ta fine film\tham\n1\ta bad film\tspam\n2\tdull as can be\tspam\n", "a fine film", "ham:1 spam:2", ""},
		"BOM and CRLF":    {"d.csv", "\xef\xbb\xbftext,label\r\na fine film,2\r\na bad film,10\r\n", "a fine film", "2:1 10:1", ""},
		"quoted lines":    {"d.csv", "text,label\n\"a\nfine \"\"film\"\"\",0\nbad,1\n", `a fine "film"`, "negative:1 positive:1", ""},
		"quoted tabs":     {"d.tsv", "text\tlabel\n\"a fine \"\"film\"\"\"\t0\nbad\t1\n", `a fine "film"`, "negative:1 positive:1", ""},
		"loose quote":     {"d.csv", "text,label\n\"a\" fine film,0\nbad,1\n", "", "", ""},
		"gaps":            {"d.csv", "text,label\na fine film,0\n,1\nbad one,\nworse,1.0\n", "a fine film", "negative:1 positive:1", "2 rows without"},
		"shouting":        {"d.csv", "text,label\nA Fine Film,x\nBAD,y\n", "A Fine Film", "x:1 y:1", "capital letters"},
		"any name":        {"notes", "a fine film\t1\nbad\t0\nx y z\t0\n", "a fine film", "negative:2 positive:1", ""},
		"one row":         {"d.csv", "a fine film,1\n", "a fine film", "positive:1", ""},
		"constant column": {"d.csv", "en,a fine film,a\nen,a bad film,b\nen,so so film,b\n", "a fine film", "a:1 b:2", ""},
	} {
		set, facts, err := Read(t.Context(), folder(c.file, []byte(c.text)), nil)
		if c.first == "" {
			if err == nil || strings.ContainsAny(err.Error(), "\n\r") {
				t.Errorf("%s: error %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, notes := byClass(set), strings.Join(facts.Notes, "\n"); got != c.classes || !strings.Contains(notes, c.notes) {
			t.Errorf("%s: %s with notes %q, expected %s with %q", name, got, notes, c.classes, c.notes)
		}
		if set.Sentences.Text[0] != c.first || facts.Data != nn.SST2 {
			t.Errorf("%s: first sentence %q of data %s, expected %q", name, set.Sentences.Text[0], facts.Data, c.first)
		}
	}
}

// lying is a PNG whose header claims a size, with its true checksum.
func lying(w, h uint32) []byte {
	head := binary.BigEndian.AppendUint32([]byte("IHDR"), w)
	head = append(binary.BigEndian.AppendUint32(head, h), 8, 0, 0, 0, 0)
	out := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), head...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(head))
}

func TestReadRefuses(t *testing.T) {
	light := drawn(t, 28, 0, 255)
	linked := func() []byte {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		h := &zip.FileHeader{Name: "3/a.png"}
		h.SetMode(fs.ModeSymlink | 0o777)
		w := must.Have(z.CreateHeader(h))(t)
		if _, err := io.WriteString(w, "/etc/passwd"); err != nil {
			t.Fatal(err)
		}
		_ = z.Close()
		return b.Bytes()
	}()
	locked := zipped(t, "3/a.png", light)
	locked[6] |= 1                                           // of the local header
	locked[bytes.Index(locked, []byte("PK\x01\x02"))+8] |= 1 // and of the directory
	bomb := zipped(t, "3/a.png", append(slices.Clone(light), make([]byte, maxPictureBytes)...))
	many := make([]any, 0, 2*(wire.MaxFiles+1))
	for i := range wire.MaxFiles + 1 {
		many = append(many, fmt.Sprintf("3/%d.png", i), []byte{})
	}
	images := idx(make([]byte, 784), 1, 28, 28)
	for name, c := range map[string]struct {
		files []File
		says  string
	}{
		"nothing":           {nil, "these are no examples"},
		"a JPEG":            {folder("3/a.jpg", []byte("\xff\xd8\xff\xe0")), "these are no examples"},
		"root images":       {folder("a.png", light), "lie in no folder"},
		"one named folder":  {folder("d/a.png", light), "all images lie in one folder, d"},
		"damaged PNG":       {folder("3/a.png", light[:60]), "3/a.png: the PNG image is damaged"},
		"cut PNG":           {folder("3/a.png", light[:20]), "3/a.png: it is no PNG image"},
		"huge PNG":          {folder("3/a.png", lying(1<<20, 1<<20)), "give images of at most 4 million"},
		"wide PNG":          {folder("3/a.png", lying(1<<31-1, 2)), "give images of at most 4 million"},
		"blank pictures":    {folder("3/a.png", drawn(t, 50, 9, 9)), "no digit in any"},
		"absolute path":     {folder("d.zip", zipped(t, "/etc/3/a.png", light)), "lies outside"},
		"parent path":       {folder("d.zip", zipped(t, "3/../../a.png", light)), "lies outside"},
		"parent on Windows": {folder("d.zip", zipped(t, `..\3\a.png`, light)), "lies outside"},
		"drive":             {folder("d.zip", zipped(t, `C:\3\a.png`, light)), "lies outside"},
		"link":              {folder("d.zip", linked), "these are no examples"},
		"password":          {folder("d.zip", locked), "password"},
		"nested":            {folder("d.zip", zipped(t, "d.zip", zipped(t, "3/a.png", light))), "these are no examples"},
		"cut archive":       {folder("d.zip", locked[:40]), "archive is damaged"},
		"large image":       {folder("d.zip", bomb), "larger than 16 MB"},
		"too many":          {folder("d.zip", zipped(t, many...)), "at most 20000"},
		"too many files":    {make([]File, wire.MaxFiles+1), "at most 20000"},
		"images alone":      {folder("i", images), "none of their labels"},
		"labels alone":      {folder("l", idx([]byte{1}, 1)), "none of the images"},
		"unequal pair":      {folder("i", images, "l", idx([]byte{1, 2}, 2)), "holds 2 labels for 1 images"},
		"two images":        {folder("i", images, "j", images), "more than one"},
		"empty pair":        {folder("i", idx(nil, 0, 28, 28), "l", idx(nil, 0)), "no image"},
		"lying IDX":         {folder("i", idx([]byte{1}, 1<<32-1, 4096, 4096), "l", idx([]byte{1}, 1)), "announces"},
		"one class":         {folder("a.txt", []byte("hello, no model\n")), "tells nothing apart"},
		"one column":        {folder("a.csv", []byte("fine\nbad\n")), "one column"},
		"heading alone":     {folder("a.csv", []byte("text,label\n")), "no rows"},
		"prose":             {folder("README.md", []byte("# quantlab\n\nWhat, when, why?\n")), "the first line has 1 field, line 3 has 3"},
		"unquoted comma":    {folder("a.csv", []byte("text,label\nwell, fine,1\n")), "line 2 has 3 fields"},
		"open quote":        {folder("a.csv", []byte("text,label\n\"well,1\nbad,0\n")), "line 2 opens a quote"},
		"not UTF-8":         {folder("a.csv", []byte("text,label\n\xff\xfe,1\n")), "UTF-8"},
		"no labels":         {folder("a.csv", []byte("text,label\na,\nb,\n")), "no row"},
		"columns":           {folder("a.csv", []byte(strings.Repeat(",", 1<<20))), "at most 64"},
		"tabs":              {folder("a.tsv", []byte(strings.Repeat("\t", 1<<20)+"x")), "at most 64"},
		"long sentence":     {folder("a.csv", []byte("text,label\n"+strings.Repeat("x", 1<<17)+",1\ny,0\n")), "bytes"},
		"empty table":       {folder("a.csv", []byte("\n\n")), "holds nothing"},
	} {
		set, _, err := Read(t.Context(), c.files, nil)
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.ContainsAny(err.Error(), "\n\r") || len(err.Error()) > 400 {
			t.Errorf("%s: %v and error %v, expected one sentence with %q", name, set, err, c.says)
		}
	}
}

// TestBomb: what is unpacked is counted, whatever the archive's headers say.
func TestBomb(t *testing.T) {
	r := &reader{ctx: t.Context(), progress: func(string, float64) {}, room: 1 << 20}
	es := must.Have(r.entries(folder("d.zip", zipped(t, "a.csv", make([]byte, 4<<20)))))(t)
	data, err := r.whole(es[0], maxTable)
	if err == nil || !strings.Contains(err.Error(), "unpacked") || len(data) > 1<<21 {
		t.Errorf("%d bytes, error %v", len(data), err)
	}
	r.room = 1 << 20
	if data, err = r.gunzip("a", gzipped(t, make([]byte, 4<<20)), maxTable); err == nil || len(data) > 1<<21 {
		t.Errorf("%d bytes, error %v", len(data), err)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := Read(ctx, folder("3/a.png", drawn(t, 28, 0, 255)), nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestKeep(t *testing.T) {
	var lines strings.Builder
	for i := range 9000 {
		fmt.Fprintf(&lines, "%s,%d\n", strings.Repeat("wörd ", 200), i%3)
	}
	var pixels, labels []byte
	for i := range 12000 {
		pixels = append(pixels, bytes.Repeat([]byte{0, uint8(i), 0, 9}, 196)...)
		labels = append(labels, uint8(i%5))
	}
	for name, files := range map[string][]File{
		"sentences": folder("a.csv", []byte(lines.String())),
		"images":    folder("i", idx(pixels, 12000, 28, 28), "l", idx(labels, 12000)),
	} {
		set, facts, err := Read(t.Context(), files, nil)
		if err != nil {
			t.Fatal(err)
		}
		facts.Name = "mine"
		var kept bytes.Buffer
		if err := Write(&kept, set, facts); err != nil {
			t.Fatal(err)
		}
		got, gotFacts, err := ReadSet(slices.Clone(kept.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		var again bytes.Buffer
		if err := Write(&again, got, gotFacts); err != nil || !bytes.Equal(again.Bytes(), kept.Bytes()) {
			t.Errorf("%s: written again, %d bytes differ from %d (error %v)", name, again.Len(), kept.Len(), err)
		}
		if first := set.Images; first != nil && !slices.Equal(got.Images.Pixels, first.Pixels) || first == nil && !slices.Equal(got.Sentences.Text, set.Sentences.Text) {
			t.Errorf("%s come back different", name)
		}
		if f, err := ReadFacts(kept.Bytes()); err != nil || f.Examples != set.Len() {
			t.Errorf("%s: facts %+v, error %v", name, f, err)
		}
		for n := range []int{0, 3, 7, 11, 40, kept.Len() / 2, kept.Len() - 1} {
			if _, _, err := ReadSet(kept.Bytes()[:n]); err == nil || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s cut at %d: error %v", name, n, err)
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	light := drawn(f, 28, 0, 255)
	f.Add("3/a.png", light)
	f.Add("d.zip", zipped(f, "3/a.png", light, "7/b.png", drawn(f, 40, 200, 9)))
	f.Add("a.csv", []byte("text,label\n\"good, really\",1\nbad,0\n"))
	f.Add("a.tsv", []byte("0\ta b\n1\tc d\n"))
	f.Add("i.gz", gzipped(f, idx(make([]byte, 784), 1, 28, 28)))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		set, facts, err := Read(t.Context(), []File{{name, data}}, nil)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r") {
				t.Errorf("two lines: %q", err)
			}
			return
		}
		facts.Name = "mine"
		if err := Write(io.Discard, set, facts); err != nil {
			t.Errorf("read, but can't be kept: %v", err)
		}
	})
}

func FuzzReadSet(f *testing.F) {
	for _, files := range [][]File{folder("3/a.png", drawn(f, 28, 0, 255)), folder("a.csv", []byte("a b,1\nc d,0\n"))} {
		set, facts, err := Read(f.Context(), files, nil)
		if err != nil {
			f.Fatal(err)
		}
		facts.Name = "mine"
		var b bytes.Buffer
		if err := Write(&b, set, facts); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		set, facts, err := ReadSet(data)
		if err != nil {
			return
		}
		if err := Write(io.Discard, set, facts); err != nil {
			t.Errorf("read, but can't be written: %v", err)
		}
	})
}
