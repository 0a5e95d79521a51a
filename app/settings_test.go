package app

import (
	"net/url"
	"reflect"
	"strings"
	"testing"

	"quantlab/core/lab/wire"
)

func TestSettingsRoundTrip(t *testing.T) {
	changed := LabSettings()
	changed.Models, changed.Variants = []string{"mnist-lab2", "sst2-lab1"}, []string{"fp32", "static-qint8"}
	changed.Batches, changed.Runs, changed.Where, changed.Input = []int{7, 1, 4096}, 20, wire.Native, wire.Sparse
	changed.Weights, changed.Seed, changed.Threads, changed.Examples, changed.Engine = wire.Fresh, 1<<64-1, 4, 500, "simd128"
	for _, s := range []Settings{LabSettings(), changed} {
		q, err := url.ParseQuery(s.Query())
		if err != nil {
			t.Fatal(err)
		}
		got, notices := ParseSettings(q, nil)
		if len(notices) > 0 {
			t.Errorf("%s: %v", s.Query(), notices)
		}
		if !reflect.DeepEqual(got, s) {
			t.Errorf("%s became %+v", s.Query(), got)
		}
	}
	want := "models=mnist-lab2,sst2-lab1&variants=fp32,static-qint8&batches=7,1,4096&runs=20&where=native&input=sparse&weights=fresh&seed=18446744073709551615&threads=4&examples=500&engine=simd128"
	if got := changed.Query(); got != want {
		t.Errorf("Query = %s", got)
	}
}

func TestBareAddressIsTheLab(t *testing.T) {
	s, notices := ParseSettings(url.Values{"utm_source": {"elsewhere"}}, nil)
	if len(notices) > 0 || !s.Equal(LabSettings()) || !s.IsLab() || s.Where != Both {
		t.Errorf("%+v, %v", s, notices)
	}
}

// Whatever is wrong with one setting costs that setting only, and is said.
func TestMalformedLinks(t *testing.T) {
	for _, tt := range []struct{ query, says string }{
		{"runs=0", "runs 0 is out of range"},
		{"runs=five", `runs "five" is not a whole number`},
		{"runs=99999999999", "not a whole number in range"},
		{"batches=0", "batch 0 is out of range"},
		{"batches=1,1", "named twice"},
		{"batches=1,2,3,4,5,6,7,8,9", "too many"},
		{"batches=", "no batch size chosen"},
		{"models=gpt", `unknown model "gpt"`},
		{"models=", "no model chosen"},
		{"variants=fp32,fp32", "named twice"},
		{"where=moon", `unknown place "moon"`},
		{"input=wet", `unknown input "wet"`},
		{"weights=heavy", `unknown weights "heavy"`},
		{"seed=-1", `seed "-1" is not a whole number`},
		{"threads=65", "out of range"},
		{"examples=-3", "out of range"},
		{"engine=", "can't be the name"},
		{"engine=avx512%22%3E", "can't be the name"},
		{"engine=AVX2", "can't be the name"},
		{"engine=" + strings.Repeat("x", 17), "can't be the name"},
		{"models=" + strings.Repeat("x", 1000), "too long"},
		{"runs=%ff", "\uFFFD"},
	} {
		q, err := url.ParseQuery(tt.query + "&seed=7")
		if strings.HasPrefix(tt.query, "seed") {
			q, err = url.ParseQuery(tt.query)
		}
		if err != nil {
			t.Fatal(err)
		}
		s, notices := ParseSettings(q, nil)
		if len(notices) != 1 || !strings.Contains(notices[0], tt.says) || !strings.HasSuffix(notices[0], ".") {
			t.Errorf("%.40s: %q", tt.query, notices)
		}
		want := LabSettings()
		if !strings.HasPrefix(tt.query, "seed") {
			want.Seed = 7
		}
		if !s.Equal(want) {
			t.Errorf("%.40s became %s", tt.query, s.Query())
		}
	}
}

func TestOrderIsTheLabs(t *testing.T) {
	s, err := LabSettings().With("variants", "static-qint8, fp32")
	if err != nil || !reflect.DeepEqual(s.Variants, []string{"fp32", "static-qint8"}) {
		t.Errorf("%v, %v", s.Variants, err)
	}
	if _, err := s.With("colour", "blue"); err == nil {
		t.Error("an unknown setting was taken")
	}
}

func TestDepartures(t *testing.T) {
	if d := Departures(wire.Lab()); len(d) > 0 {
		t.Errorf("the lab departs from itself: %v", d)
	}
	q := wire.Quick()
	if d := strings.Join(Departures(q), "; "); d != "3 runs instead of 5; accuracy on the first 1,000 test examples instead of all" {
		t.Errorf("quick: %s", d)
	}
	// Whatever makes a request not the lab's is named.
	for key, value := range map[string]string{"batches": "1", "runs": "1", "threads": "2", "input": "sparse", "examples": "1", "engine": "portable"} {
		s, err := LabSettings().With(key, value)
		if err != nil {
			t.Fatal(err)
		}
		if d := Departures(s.Request); s.IsLab() || len(d) != 1 {
			t.Errorf("%s=%s: lab %v, departures %q", key, value, s.IsLab(), d)
		}
	}
}

func FuzzParseSettings(f *testing.F) {
	f.Add(LabSettings().Query())
	f.Add("models=mnist-lab1&runs=0&batches=1,,2;3")
	f.Add("seed=18446744073709551616&where=both&where=native")
	f.Add("runs=%00&threads=+1&examples=0x10")
	f.Fuzz(func(t *testing.T, query string) {
		q, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		s, _ := ParseSettings(q, nil)
		if err := s.Validate(); err != nil {
			t.Fatalf("%q: %v", query, err)
		}
		again, err := url.ParseQuery(s.Query())
		if err != nil {
			t.Fatalf("%q: %v", s.Query(), err)
		}
		back, notices := ParseSettings(again, nil)
		if len(notices) > 0 || !reflect.DeepEqual(back, s) {
			t.Fatalf("%q: %+v became %+v, %v", query, s, back, notices)
		}
	})
}
