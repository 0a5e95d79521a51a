package nn

import (
	"strings"
	"testing"
)

func TestCheckName(t *testing.T) {
	for name, ok := range map[string]bool{
		"my-mlp": true, "a": true, "7": true, "v1.0_b": true, strings.Repeat("a", MaxName): true,
		"": false, "-": false, "a-": false, ".a": false, "_": false, "My-mlp": false, "a b": false, "a/b": false, "größe": false, "a\x00": false,
		strings.Repeat("a", MaxName+1): false, "mnist-lab1": false,
	} {
		if err := CheckName(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}
