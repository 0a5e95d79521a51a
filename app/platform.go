package app

import "time"

// A platform is the browser as the session sees it: the bridge to both engines (web/quantlab.js), and what else it asks
// of the tab. Payloads are JSON of the wire types. Callbacks may come on any goroutine.
type platform interface {
	// Subscribe hears of the compute worker: kind "state" with a workerState, kind "message" with a wire.Envelope. It
	// reports an error where the bridge's script is not there.
	Subscribe(func(kind, payload string)) error
	// Send gives the worker a wire.Command; before the worker is ready it is queued. With an import go the files of these numbers,
	// which a fileChoice tells. They stay for another import, until ForgetFiles.
	Send(command string, files ...int)
	// Restart ends the worker and starts another. Commands under way get no further answer.
	Restart()

	// NativeRun starts a wire.Command that measures on the native host; the callback hears each wire.Event. The entries, models
	// and data of the reader's own as entriesOf names them, go with it.
	NativeRun(command string, entries []string, event func(string)) (cancel func())
	// NativeHardware asks what the native host is: a wire.Hardware, or "" and why there is none.
	NativeHardware(func(hardware, problem string))
	// NativeStatus hears a nativeStatus whenever it changes, while the native host prepares models.
	NativeStatus(func(status string)) (stop func())

	// OnFiles hears of files that the reader chooses in a file input within the element that the CSS selector finds, pastes, or drops
	// on the page: kind "over" with "true" or "false" while files are held over the page, "reading" when files come, which may
	// take a while, then "files" with a fileChoice, or "problem" with a sentence. stop ends it.
	OnFiles(selector string, hear func(kind, payload string)) (stop func())
	// ForgetFiles lets go of the files of these numbers.
	ForgetFiles(files ...int)

	// OnHide calls back whenever the tab goes to the background.
	OnHide(func())
	// OnFollow calls back, before it happens, whenever a link within the site is about to be followed.
	OnFollow(func())
	// Copy puts text on the clipboard and says whether that worked.
	Copy(text string, done func(ok bool))
	// Save gives the reader a text as a file of that name and MIME type.
	Save(name, kind, text string)
	// Print opens the browser's printing.
	Print()
	// Keep keeps a text for later visits, "" nothing; a browser may refuse. Kept returns it, or "".
	Keep(key, text string) (ok bool)
	Kept(key string) string
	// KeepResults does so with results, which are larger; KeptResults brings them, or "".
	KeepResults(text string)
	KeptResults(func(text string))
	// SetQuery replaces the query of the page's address, without an entry in its history. Browsers refuse to do that too often.
	SetQuery(query string) (ok bool)
	// Address is the full address of a path within the site, with that query.
	Address(path, query string) string
	// After calls back once, after the delay.
	After(time.Duration, func())
}

// workerState is the payload of the bridge's kind "state".
type workerState struct {
	State    string  `json:"state"` // "loading", "ready" or "failed"
	Text     string  `json:"text"`
	Fraction float64 `json:"fraction"`
}

// nativeStatus is an event of GET /api/status.
type nativeStatus struct {
	Ready    bool    `json:"ready"`
	Failed   bool    `json:"failed"`
	Step     string  `json:"step"`
	Fraction float64 `json:"fraction"`
	Text     string  `json:"text"`
}
