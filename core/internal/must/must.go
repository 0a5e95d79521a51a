// Package must shortens tests: what has to work is said in one line.
package must

import "testing"

// Have returns what a call gave, and ends the test where that was an error: must.Have(os.Open(name))(t).
func Have[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
