package exchange

import (
	"fmt"
	"slices"

	"quantlab/core/lab/wire"
)

// untie finds layers that come under two names with the same numbers, as where a module registers its layers one by one and in a
// list, too. Whether the layer is then passed twice its shape may tell; else it is asked.
func (c *collection) untie(found []part, req wire.ImportRequest) ([]part, error) {
	var once []part
	var twins []string
	square := true
	for _, p := range found {
		at := slices.IndexFunc(once, func(q part) bool { return same(p, q) })
		if at < 0 {
			once = append(once, p)
			continue
		}
		twins = append(twins, fmt.Sprintf("%s is %s", p.name, once[at].name))
		square = square && p.rows == p.cols
	}
	if len(twins) == 0 {
		return found, nil
	}
	if square {
		if twice, err := c.readings(found); err == nil && len(twice) > 0 {
			answer, err := choose(req, wire.Question{
				Key: keyTied, Text: fmt.Sprintf("One layer comes under two names (%s). Do features pass it once or twice?", listed(twins)),
				Choices: []wire.Choice{{Value: "once", Label: "once"}, {Value: "twice", Label: "twice, with the same weights"}},
			})
			if err != nil || answer == "twice" {
				return found, err
			}
		}
	}
	c.notes = append(c.notes, "one layer under two names: "+listed(twins))
	return once, nil
}

// same reports whether the parts hold the same numbers. Arrays that can't be decoded are the same as none.
func same(p, q part) bool {
	if p.rows != q.rows || p.cols != q.cols || (p.bias == nil) != (q.bias == nil) {
		return false
	}
	if p.bias != nil && !equal(*p.bias, *q.bias) {
		return false
	}
	return equal(p.weight, q.weight)
}

func equal(a, b array) bool {
	x, err := a.values()
	if err != nil {
		return false
	}
	y, err := b.values()
	return err == nil && slices.Equal(x, y)
}

// oneHead finds a file whose layers are a chain that branches at its end, and keeps the branch that the request names. Any other
// file that makes no chain is an error.
func (c *collection) oneHead(found []part, req wire.ImportRequest) ([]part, error) {
	for _, p := range found {
		heads := slices.DeleteFunc(slices.Clone(found), func(q part) bool { return q.cols != p.cols || !isLast(q, found) })
		trunk := slices.DeleteFunc(slices.Clone(found), func(q part) bool { return q.cols == p.cols && isLast(q, found) })
		if len(heads) < 2 || !c.branches(trunk, heads) {
			continue
		}
		q := wire.Question{Key: keyOutput, Text: "The model has several outputs. Which one is to answer?"}
		for _, h := range heads {
			q.Choices = append(q.Choices, wire.Choice{Value: h.name, Label: fmt.Sprintf("%s (%d to %d)", h.name, h.cols, h.rows)})
		}
		answer, err := choose(req, q)
		if err != nil {
			return nil, err
		}
		var kept []part
		var others []string
		for _, p := range found {
			if isHead := slices.ContainsFunc(heads, func(h part) bool { return h.name == p.name }); isHead && p.name != answer {
				others = append(others, p.name)
				continue
			}
			kept = append(kept, p)
		}
		c.notes = append(c.notes, fmt.Sprintf("the output %s answers; left aside: %s", answer, listed(others)))
		return kept, nil
	}
	for i := 1; i < len(found); i++ {
		if p, q := found[i-1], found[i]; p.rows != q.cols {
			return nil, fmt.Errorf("its layers do not make one stack: %.60s gives %d features and %.60s takes %d; %s", p.name, p.rows, q.name, q.cols, stacks)
		}
	}
	return nil, fmt.Errorf("its layers do not make one stack: the biases fit to none that the weights allow; %s", stacks)
}

// isLast reports whether no other layer takes what p gives.
func isLast(p part, found []part) bool {
	return !slices.ContainsFunc(found, func(q part) bool { return q.cols == p.rows })
}

// branches reports whether the trunk makes a chain with each of the heads.
func (c *collection) branches(trunk, heads []part) bool {
	for _, h := range heads {
		all, _, err := c.chains(append(slices.Clone(trunk), h), false)
		if err != nil || len(all) == 0 {
			return false
		}
	}
	return true
}
