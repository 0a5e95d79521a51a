package train

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"quantlab/core/dataset"
	"quantlab/core/dataset/mnisttest"
	"quantlab/core/nn"
)

var full = flag.Bool("full", false, "train the lab's four models on all of their data, which takes minutes")

// TestLab trains the lab's models on the real data. Unless -full is given, it is content with a part of the two quicker
// ones, and less is expected of those.
func TestLab(t *testing.T) {
	for _, c := range []struct {
		model    string
		examples int
		part     float64 // least accuracy on that many examples, once
		full     float64 // on all, as long as the lab says
	}{
		{"mnist-lab1", 6000, 0.88, 0.965},
		{"mnist-lab2", 0, 0, 0.965},
		{"sst2-lab1", 0, 0, 0.80},
		{"sst2-lab2", 12800, 0.68, 0.805},
	} {
		t.Run(c.model, func(t *testing.T) {
			if !*full && c.examples == 0 {
				t.Skip("only with -full")
			}
			spec, err := nn.SpecOf(c.model)
			if err != nil {
				t.Fatal(err)
			}
			data, test := labData(t, spec)
			opt, least := Options{Threads: 2}, c.full
			if !*full {
				data, opt.Epochs, least = data.Sample(c.examples, 1), 1, c.part
			}
			start := time.Now()
			net, err := Train(t.Context(), spec, data, opt, nil)
			if err != nil {
				t.Fatal(err)
			}
			took := time.Since(start)
			correct, total, err := Accuracy(t.Context(), net, test, opt)
			if err != nil {
				t.Fatal(err)
			}
			accuracy := float64(correct) / float64(total)
			t.Logf("%d examples in %.1f s, accuracy %.4f (%d of %d)", data.Len(), took.Seconds(), accuracy, correct, total)
			if accuracy < least {
				t.Errorf("accuracy %.4f is below %.4f", accuracy, least)
			}
		})
	}
}

func labData(t *testing.T, spec nn.Spec) (train, test *dataset.Examples) {
	t.Helper()
	if spec.Data == nn.MNIST {
		fsys := os.DirFS(mnisttest.Dir(t))
		read := func(split string) *dataset.Examples {
			images, err := dataset.ReadMNIST(fsys, split)
			if err != nil {
				t.Fatal(err)
			}
			return dataset.FromImages(images.Crop(spec.Crop))
		}
		return read(dataset.Train), read(dataset.Test)
	}
	fsys := sst2FS(t)
	read := func(split string) *dataset.Sentences {
		sentences, err := dataset.ReadSST2(fsys, split)
		if err != nil {
			t.Fatal(err)
		}
		return sentences
	}
	phrases := read(dataset.Train)
	words := dataset.BuildVocabulary(phrases, spec.Vocab)
	return dataset.FromSentences(phrases, words), dataset.FromSentences(read(dataset.Dev), words)
}

// sst2FS is $QUANTLAB_DATA, or the nearest data or shared/data folder above that holds SST-2.
func sst2FS(t *testing.T) fs.FS {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	places := []string{os.Getenv("QUANTLAB_DATA")}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		places = append(places, filepath.Join(dir, "data"), filepath.Join(dir, "shared", "data"))
	}
	for _, place := range places {
		if _, err := os.Stat(filepath.Join(place, "sst2", "train.tsv")); place != "" && err == nil {
			return os.DirFS(place)
		}
	}
	t.Skip("SST-2 is not here: put sst2/train.tsv and sst2/dev.tsv in a folder and name it in QUANTLAB_DATA")
	return nil
}
