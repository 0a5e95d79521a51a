package custom

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxClassName bounds the name of a class, in bytes.
const maxClassName = 60

// classes numbers the names of classes.
type classes struct {
	names []string
	index map[string]uint8
}

// newClasses numbers the different names: numbers by their value, others by the alphabet.
func newClasses(all []string) (*classes, error) {
	c := &classes{index: map[string]uint8{}}
	seen := map[string]bool{}
	for _, name := range all {
		if seen[name] {
			continue
		}
		if seen[name] = true; len(seen) > MaxClasses {
			return nil, fmt.Errorf("there are more than %d classes: give examples of at most as many", MaxClasses)
		}
		if err := checkClass(name); err != nil {
			return nil, err
		}
	}
	c.names = slices.Sorted(maps.Keys(seen))
	if !slices.ContainsFunc(c.names, func(n string) bool { return !isNumber(n) }) {
		slices.SortStableFunc(c.names, func(a, b string) int { return cmp.Compare(number(a), number(b)) })
	}
	for i, name := range c.names {
		c.index[name] = uint8(i)
	}
	return c, nil
}

// label returns the class of that name, which is one of them.
func (c *classes) label(name string) uint8 { return c.index[name] }

// checkClass refuses what can't be the name of a class.
func checkClass(name string) error {
	if name == "" || len(name) > maxClassName || !utf8.ValidString(name) || strings.ContainsAny(name, "\n\r\x00") {
		return errors.New("a class is named " + strconv.QuoteToASCII(name[:min(len(name), maxClassName)]) + ", which can't be a name: give one of at most " + strconv.Itoa(maxClassName) + " bytes")
	}
	return nil
}

// isNumber reports whether a name is a whole number.
func isNumber(name string) bool {
	_, err := strconv.ParseInt(name, 10, 32)
	return err == nil
}

// number returns the value of a name that is a number.
func number(name string) int64 {
	n, _ := strconv.ParseInt(name, 10, 32)
	return n
}

// plainNumber spells a whole number without what does not change it, 03 or 3.0 as 3, and leaves other names as they are.
func plainNumber(name string) string {
	v, err := strconv.ParseFloat(name, 64)
	if err != nil || v != float64(int32(v)) || strings.ContainsAny(name, "xXeEpP_") {
		return name
	}
	return strconv.Itoa(int(v))
}
