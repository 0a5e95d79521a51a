package app

import goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

// KeepResults leaves it to the bridge whether and when that is done.
func (b browser) KeepResults(text string) {
	if results := b.bridge("results"); results.Truthy() {
		results.Call("keep", text)
	}
}

func (b browser) KeptResults(f func(text string)) {
	results := b.bridge("results")
	if !results.Truthy() {
		return
	}
	var answer goapp.Func
	answer = goapp.FuncOf(func(_ goapp.Value, args []goapp.Value) any {
		if len(args) > 0 {
			f(args[0].String())
		}
		answer.Release()
		return nil
	})
	results.Call("kept", answer)
}
