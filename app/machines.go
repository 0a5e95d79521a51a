package app

import (
	"fmt"
	"strings"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
)

// A pill is one fact of a machine: the strong part and what surrounds it.
type pill struct{ Before, Strong, After string }

// A pillList is what is known of one host.
type pillList struct {
	Pills   []pill
	Pending string // in their place, until they are known
	Problem bool
}

// machines is the environment block: this browser, and the machine natively.
type machines struct {
	goapp.Compo
	Browser, Native pillList
}

func (m *machines) Render() goapp.UI {
	return goapp.Dl().Class("machines").Body(
		goapp.Dt().Text("This browser"),
		goapp.Dd().ID("browser-machine").Body(m.Browser.render()),
		goapp.Dt().Text("Natively"),
		goapp.Dd().ID("native-machine").Body(m.Native.render()),
	)
}

func (l pillList) render() goapp.UI {
	if len(l.Pills) == 0 {
		class := "pending"
		if l.Problem {
			class = "problem"
		}
		return goapp.P().Class(class).Text(l.Pending)
	}
	return goapp.Ul().Class("pills").Body(goapp.Range(l.Pills).Slice(func(i int) goapp.UI {
		p := l.Pills[i]
		return goapp.Li().Body(goapp.Text(p.Before), goapp.B().Text(p.Strong), goapp.Text(p.After))
	}))
}

func browserPills(s *State) pillList {
	hw, ok := s.Hardware[wire.Browser]
	if !ok {
		if s.Engine.Phase == EngineFailed {
			return pillList{Pending: "Not available: see below.", Problem: true}
		}
		return pillList{Pending: "Getting ready …"}
	}
	l := pillList{}
	l.add("", firstOf(hw.Browser, hw.CPU, "unknown browser"), "")
	l.addCores(hw)
	if hw.SIMD != "" {
		l.add("SIMD ", hw.SIMD, "")
	}
	isolated := ""
	if hw.Isolated != nil {
		isolated = "no"
		if *hw.Isolated {
			isolated = "yes"
		}
		l.add("isolated ", isolated, "")
	}
	l.addEngine(hw, s.Versions[wire.Browser])
	return l
}

func nativePills(s *State) pillList {
	switch s.Native.Phase {
	case NativeUnknown:
		return pillList{Pending: "Asking the server …"}
	case NativeAbsent:
		return pillList{Pending: "No native engine serves this page, so there are browser rows only."}
	}
	hw := s.Hardware[wire.Native]
	l := pillList{}
	l.add("", firstOf(hw.CPU, hw.Arch, "unknown processor"), "")
	l.addCores(hw)
	if sets := hw.Instructions; len(sets) > 0 {
		l.add("", strings.Join(sets[max(0, len(sets)-maxSets):], ", "), "")
	}
	if hw.MemoryBytes > 0 {
		l.add("", report.Memory(hw.MemoryBytes), "")
	}
	version := s.Versions[wire.Native]
	if version == s.Versions[wire.Browser] {
		version = "" // the browser's pills say it
	}
	l.addEngine(hw, version)
	return l
}

// maxSets is how many instruction sets a pill names: the last are the most capable.
const maxSets = 4

func (l *pillList) add(before, strong, after string) {
	l.Pills = append(l.Pills, pill{before, strong, after})
}

func (l *pillList) addCores(hw wire.Hardware) {
	switch {
	case hw.Cores > 0 && hw.Threads > 0 && hw.Threads != hw.Cores:
		l.add("", fmt.Sprint(hw.Cores), fmt.Sprintf(" cores, %d threads", hw.Threads))
	case hw.Cores > 0:
		l.add("", fmt.Sprint(hw.Cores), strings.TrimPrefix(plural(hw.Cores, "core"), fmt.Sprint(hw.Cores)))
	case hw.Threads > 0:
		l.add("", fmt.Sprint(hw.Threads), strings.TrimPrefix(plural(hw.Threads, "thread"), fmt.Sprint(hw.Threads)))
	}
}

func (l *pillList) addEngine(hw wire.Hardware, version string) {
	if hw.Engine != "" {
		l.add("engine ", engineName(hw.Engine), "")
	}
	if hw.ClockNS > 0 {
		l.add("clock ", report.Nanoseconds(hw.ClockNS), "")
	}
	if version != "" {
		l.add("version ", version, "")
	}
}

func firstOf(choices ...string) string {
	for _, c := range choices {
		if c != "" {
			return c
		}
	}
	return ""
}
