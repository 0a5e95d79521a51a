package report

import (
	"math"
	"testing"

	"quantlab/core/lab/wire"
)

func TestPlusMinus(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	tests := []struct {
		mean, std float64
		want      string
	}{
		{142.3456, 1.8, "142.3 ± 1.8"},
		{17.04, 0.41, "17.0 ± 0.4"},
		{1234.4, 17, "1234 ± 17"},
		{1.2341, 0.0171, "1.234 ± 0.017"},
		{8755.3, 134.2, "8760 ± 130"},
		{35600.4, 212, "35,600 ± 210"},
		{9999.6, 3, "9999.6 ± 3.0"},
		{12411.4, 35.2, "12,411 ± 35"},
		{123456789, 12345, "123,457,000 ± 12,000"},
		{0.64, 0.0355, "0.64 ± 0.04"},
		{0.64, 0.0354, "0.640 ± 0.035"},
		{0.64, 0.0949, "0.64 ± 0.09"},
		{0.64, 0.0951, "0.64 ± 0.10"},
		{0.64, 0.0999, "0.64 ± 0.10"},
		{0.64, 0.1, "0.64 ± 0.10"},
		{5, 20, "5 ± 20"},
		{5, 999, "0 ± 1000"},
		{5, 9600, "0 ± 10,000"},
		{17.04, 0, "17.04"},
		{453.216, 0, "453.2"},
		{12411.4, 0, "12,411"},
		{0.00012345, 0, "0.0001234"},
		{17.04, nan, "17.04"},
		{17.04, -1, "17.04"},
		{17.04, inf, "17.04"},
		{nan, 1, "–"},
		{inf, 1, "–"},
		{0, 0, "0"},
		{3, 1e-12, "3.000000000 ± 0.000000000"},
	}
	for _, tt := range tests {
		if got := PlusMinus(tt.mean, tt.std); got != tt.want {
			t.Errorf("PlusMinus(%v, %v) = %q, want %q", tt.mean, tt.std, got, tt.want)
		}
	}
}

func TestFormats(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	mustEqual(t, "MB", MB(1628744), "1.629")
	mustEqual(t, "MB", MB(30349320), "30.349")
	mustEqual(t, "Memory", Memory(25276510208), "23.5 GiB")
	mustEqual(t, "Memory", Memory(8<<30), "8 GiB")
	mustEqual(t, "Percent", Percent(0.9706, 10000), "97.06%")
	mustEqual(t, "Percent", Percent(0.971, 1000), "97.1%")
	mustEqual(t, "Percent", Percent(0.823394, 872), "82.3%")
	mustEqual(t, "Percent", Percent(nan, 872), "–")
	mustEqual(t, "Interval", Interval([2]float64{0.96712, 0.97372}, 10000), "[96.71, 97.37]")
	mustEqual(t, "Count", Count(407050), "407,050")
	mustEqual(t, "Count", Count(999), "999")
	mustEqual(t, "Count", Count(-1234567), "-1,234,567")
	mustEqual(t, "PValue", PValue(0.51), "p = 0.51")
	mustEqual(t, "PValue", PValue(0.00999), "p = 0.010")
	mustEqual(t, "PValue", PValue(0.0042), "p = 0.004")
	mustEqual(t, "PValue", PValue(0.0469), "p = 0.047")
	mustEqual(t, "PValue", PValue(0.0508), "p = 0.051")
	mustEqual(t, "PValue", PValue(0.0009), "p < 0.001")
	mustEqual(t, "PValue", PValue(0), "p < 0.001")
	mustEqual(t, "PValue", PValue(1), "p = 1")
	mustEqual(t, "PValue", PValue(nan), "p unknown")
	mustEqual(t, "Times", Times(1.7123, 0.03), "1.71×")
	mustEqual(t, "Times", Times(1.7123, 0.5), "1.7×")
	mustEqual(t, "Times", Times(1.7123, 5), "1.7×")
	mustEqual(t, "Times", Times(1.7123, 0), "1.71×")
	mustEqual(t, "Times", Times(17.123, 0.001), "17.1×")
	mustEqual(t, "Times", Times(17.123, 4), "17×")
	mustEqual(t, "Times", Times(871.4, 4), "871×")
	mustEqual(t, "Times", Times(0, 4), "–")
	mustEqual(t, "Times", Times(inf, 4), "–")
	mustEqual(t, "Nanoseconds", Nanoseconds(30), "30 ns")
	mustEqual(t, "Nanoseconds", Nanoseconds(5000), "5 µs")
	mustEqual(t, "Nanoseconds", Nanoseconds(4864), "4.9 µs")
	mustEqual(t, "Nanoseconds", Nanoseconds(100000), "100 µs")
	mustEqual(t, "Nanoseconds", Nanoseconds(1e6), "1 ms")
	mustEqual(t, "Nanoseconds", Nanoseconds(16666666), "17 ms")
	mustEqual(t, "Nanoseconds", Nanoseconds(0), "unknown")
	mustEqual(t, "Flips", Flips(nil), "–")
	mustEqual(t, "Flips", Flips(&wire.Paired{P: 1}), "none differ")
	mustEqual(t, "Flips", Flips(&wire.Paired{Flipped: []int{7}, Lost: 1, P: 1}), "1 differs (+0 −1), p = 1")
	mustEqual(t, "Flips", Flips(&wire.Paired{Flipped: []int{7, 8, 9}, Gained: 1, P: 0.5}), "3 differ (+1 −0), p = 0.50")
}

func TestVerdictsReadAlikeBothWays(t *testing.T) {
	tests := []struct {
		v               *wire.Verdict
		words, interval string
	}{
		{nil, "", ""},
		{&wire.Verdict{Word: wire.Faster, Ratio: 1.7123, Low: 1.68, High: 1.74}, "1.71× faster", "1.68–1.74×"},
		{&wire.Verdict{Word: wire.Slower, Ratio: 0.5, Low: 0.4, High: 0.625}, "2.0× slower", "1.6–2.5×"},
		{&wire.Verdict{Word: wire.NoDifference, Ratio: 0.98, Low: 0.95, High: 1.02}, "no difference detected", "0.95–1.02×"},
		{&wire.Verdict{Word: wire.Faster, Ratio: 1.9, Low: 1.03, High: 3.5}, "1.9× faster", "1.03–3.5×"}, // not 1.0–3.5×
		{&wire.Verdict{Word: wire.Slower, Ratio: 1 / 1.9, Low: 1 / 3.5, High: 1 / 1.004}, "1.9× slower", "1.004–3.5×"},
		{&wire.Verdict{Word: wire.Slower}, "– slower", ""}, // a damaged file
	}
	for _, tt := range tests {
		words, interval := VerdictInterval(tt.v)
		if words != tt.words || interval != tt.interval || Verdict(tt.v) != words {
			t.Errorf("%+v reads %q, %q, want %q, %q", tt.v, words, interval, tt.words, tt.interval)
		}
	}
}

func FuzzFormats(f *testing.F) {
	f.Add(142.3, 1.8)
	f.Add(math.Inf(1), math.NaN())
	f.Add(1e300, 1e-300)
	f.Add(5e-324, 1e308)
	f.Fuzz(func(t *testing.T, a, b float64) {
		for _, s := range []string{PlusMinus(a, b), Times(a, b), Figures(a, 3), Nanoseconds(a), Percent(a, 10), PValue(a)} {
			if s == "" || len(s) > 1000 {
				t.Errorf("%v, %v read %q", a, b, s)
			}
		}
	})
}
