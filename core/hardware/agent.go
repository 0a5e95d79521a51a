package hardware

import (
	"strings"
)

// A brand is an entry of navigator.userAgentData.brands.
type brand struct{ name, version string }

// browserOfBrands names the browser by its brands: "Edge 138". A browser built on Chromium names that too, and every one
// adds a brand that does not exist ("Not)A;Brand"). Without a brand it is "".
func browserOfBrands(brands []brand) string {
	best := ""
	for _, b := range brands {
		if strings.Contains(strings.ToLower(b.name), "not") && strings.Contains(strings.ToLower(b.name), "brand") {
			continue
		}
		name := strings.TrimPrefix(strings.TrimPrefix(b.name, "Google "), "Microsoft ")
		if name == "HeadlessChrome" {
			name = "Chrome, headless"
		}
		if entry := oneName(name, b.version); best == "" || b.name != "Chromium" {
			best = entry
		}
	}
	return best
}

// oneName joins a name and the major number of a version.
func oneName(name, version string) string {
	major, _, _ := strings.Cut(version, ".")
	return strings.TrimSpace(clean(name) + " " + clean(major))
}

// clean keeps what a page sent short and printable.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if r := []rune(s); len(r) > 60 {
		s = string(r[:60])
	}
	return s
}

// agents are the marks by which navigator.userAgent tells browsers, most special first: Edge says that it is Chrome,
// and Chrome that it is Safari.
var agents = []struct{ mark, name string }{
	{"Edg/", "Edge"}, {"EdgA/", "Edge"}, {"EdgiOS/", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"}, {"Vivaldi/", "Vivaldi"},
	{"FxiOS/", "Firefox"}, {"Firefox/", "Firefox"}, {"CriOS/", "Chrome"}, {"HeadlessChrome/", "Chrome, headless"}, {"Chromium/", "Chromium"}, {"Chrome/", "Chrome"},
	{"Node.js/", "Node.js"},
}

// browserOfAgent names the browser by navigator.userAgent: "Firefox 141". An unknown one is "".
func browserOfAgent(agent string) string {
	after := func(mark string) (string, bool) {
		_, rest, ok := strings.Cut(agent, mark)
		version, _, _ := strings.Cut(rest, " ")
		return version, ok
	}
	for _, a := range agents {
		if version, ok := after(a.mark); ok {
			return oneName(a.name, version)
		}
	}
	if version, ok := after("Version/"); ok && strings.Contains(agent, "Safari/") {
		return oneName("Safari", version)
	}
	return ""
}

// systemOfAgent names the system by navigator.userAgent. Its version is not told: browsers froze it years ago.
func systemOfAgent(agent string) string {
	for _, s := range []struct{ mark, name string }{
		{"Android", "Android"}, {"iPhone", "iOS"}, {"iPad", "iPadOS"}, {"CrOS", "ChromeOS"}, {"Windows", "Windows"}, {"Macintosh", "macOS"}, {"Linux", "Linux"},
	} {
		if strings.Contains(agent, s.mark) {
			return s.name
		}
	}
	return ""
}
