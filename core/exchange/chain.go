package exchange

import (
	"fmt"
	"slices"
	"strings"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

// A chain is the layers of a file in the order in which features pass them.
type chain struct {
	parts      []part
	transposed bool // their weights are stored in x out
}

// dims are the widths along the chain.
func (c chain) dims() []int {
	var dims []int
	for i, p := range c.parts {
		e := edgeOf(p, c.transposed)
		if i == 0 {
			dims = append(dims, e.from)
		}
		dims = append(dims, e.to)
	}
	return dims
}

// names lists the layers.
func (c chain) names() string {
	var names []string
	for _, p := range c.parts {
		names = append(names, p.name)
	}
	return strings.Join(names, ", ")
}

// An edge is a layer as a way from one width to another.
type edge struct{ from, to int }

func edgeOf(p part, transposed bool) edge {
	if transposed {
		return edge{p.rows, p.cols}
	}
	return edge{p.cols, p.rows}
}

// mostOrders is how many orders of layers a question lists.
const mostOrders = 6

// arrange finds the chain that the parts make. The file's order decides where there is one and it fits, then numbers in names
// and shapes; what these leave open is asked. words is the length of the vocabulary, 0 where there is none.
func (c *collection) arrange(found []part, words int, req wire.ImportRequest) (chain, error) {
	found, err := c.untie(found, req)
	if err != nil {
		return chain{}, err
	}
	if len(found) > nn.MaxLayers+8 {
		return chain{}, fmt.Errorf("the file holds %d layers: at most %d can be taken", len(found), nn.MaxLayers)
	}
	readings, err := c.readings(found)
	if err != nil {
		return chain{}, err
	}
	if len(readings) == 0 {
		if found, err = c.oneHead(found, req); err != nil {
			return chain{}, err
		}
		if readings, err = c.readings(found); err != nil {
			return chain{}, err
		}
	}
	likely := slices.DeleteFunc(slices.Clone(readings), func(r chain) bool {
		in := r.dims()[0]
		return words > 0 && in != words || words == 0 && sideOf(in) != 28 && sideOf(in) != 20
	})
	if len(likely) > 0 {
		readings = likely
	}
	read, err := pick(readings, req)
	if err == nil && read.transposed {
		c.notes = append(c.notes, "its weights are stored inputs by outputs, the other way round than PyTorch has them: they were turned")
	}
	return read, err
}

// readings returns the chains that all parts can make: of weights stored out x in, as PyTorch stores them, and of turned ones only
// where those do not chain in the file's order.
func (c *collection) readings(found []part) ([]chain, error) {
	upright, inOrder, err := c.chains(found, false)
	if err != nil || inOrder {
		return upright, err
	}
	turned, _, err := c.chains(found, true)
	return append(upright, turned...), err
}

// chains returns the chains of weights stored one way, at most mostOrders. inOrder: the file's order, or that of the numbers in its
// names, gives the only one.
func (c *collection) chains(found []part, transposed bool) (all []chain, inOrder bool, err error) {
	fits := part.upright
	if transposed {
		fits = part.transposed
	}
	edges := make([]edge, len(found))
	identity := make([]int, len(found))
	for i, p := range found {
		if !fits(p) {
			return nil, false, nil
		}
		edges[i], identity[i] = edgeOf(p, transposed), i
	}
	orders, err := findOrders(edges, before(found))
	if err == nil && len(orders) == 0 {
		orders, err = findOrders(edges, nil)
	}
	if c.ordered && connected(edges) {
		isIdentity := func(o []int) bool { return slices.Equal(o, identity) }
		if err != nil || len(orders) == 0 || slices.ContainsFunc(orders, isIdentity) {
			orders, err = [][]int{identity}, nil // what shapes leave open, the file's order tells
		} else {
			orders = append([][]int{identity}, orders...) // numbers in names contradict it
		}
	}
	if err != nil {
		return nil, false, err
	}
	for _, o := range orders {
		var parts []part
		for _, i := range o {
			parts = append(parts, found[i])
		}
		all = append(all, chain{parts, transposed})
	}
	return all, len(orders) == 1 && slices.Equal(orders[0], identity), nil
}

// connected reports whether every edge starts where the one before ends.
func connected(edges []edge) bool {
	for i := 1; i < len(edges); i++ {
		if edges[i].from != edges[i-1].to {
			return false
		}
	}
	return true
}

// before returns, for each part, the parts that must come earlier: those whose names differ from its own only in a number that is
// smaller.
func before(found []part) [][]int {
	earlier := make([][]int, len(found))
	stem := func(name string) string {
		return strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return -1
			}
			return r
		}, name)
	}
	for i, p := range found {
		for j, q := range found {
			if stem(p.name) == stem(q.name) && compareNames(q.name, p.name) < 0 {
				earlier[i] = append(earlier[i], j)
			}
		}
	}
	return earlier
}

// maxSteps bounds the search for orders.
const maxSteps = 20000

// findOrders returns the orders in which all edges make one way, in which every edge comes after those of earlier; at most
// mostOrders. Ways along all edges of a graph are Euler's; as with Fleury, an edge is taken only where the rest stays one way.
func findOrders(edges []edge, earlier [][]int) ([][]int, error) {
	var orders [][]int
	used := make([]bool, len(edges))
	order := make([]int, 0, len(edges))
	steps := 0
	var walk func() bool
	walk = func() bool { // false: too many
		if steps++; steps > maxSteps {
			return false
		}
		if len(order) == len(edges) {
			orders = append(orders, slices.Clone(order))
			return len(orders) <= mostOrders
		}
		for i, e := range edges {
			if used[i] || len(order) > 0 && edges[order[len(order)-1]].to != e.from {
				continue
			}
			if earlier != nil && slices.ContainsFunc(earlier[i], func(j int) bool { return !used[j] }) {
				continue
			}
			used[i], order = true, append(order, i)
			more := !oneWay(edges, used, e.to) || walk()
			used[i], order = false, order[:len(order)-1]
			if !more {
				return false
			}
		}
		return true
	}
	if !walk() {
		return nil, fmt.Errorf("the file does not tell the order of its %d layers, several of which have equal shapes: save them as a PyTorch state_dict, which keeps the order, or number their names", len(edges))
	}
	return orders, nil
}

// oneWay reports whether the edges that are not used make one way from a width: from it one more leaves than arrives, or none; of one
// other width at most it is the other way round; and all hang together.
func oneWay(edges []edge, used []bool, from int) bool {
	surplus := map[int]int{}
	left := 0
	for i, e := range edges {
		if !used[i] {
			surplus[e.from]++
			surplus[e.to]--
			left++
		}
	}
	if left == 0 {
		return true
	}
	for width, n := range surplus {
		if n > 1 || n < -1 || n == 1 && width != from {
			return false
		}
	}
	reached, grown := map[int]bool{from: true}, true
	for grown {
		grown = false
		for i, e := range edges {
			if !used[i] && reached[e.from] && !reached[e.to] {
				reached[e.to], grown = true, true
			}
		}
	}
	for i, e := range edges {
		if !used[i] && !reached[e.from] {
			return false
		}
	}
	return surplus[from] == 1 || surplus[from] == 0 && !open(surplus)
}

// open reports whether more or fewer edges leave a width than arrive.
func open(surplus map[int]int) bool {
	for _, n := range surplus {
		if n != 0 {
			return true
		}
	}
	return false
}

// pick takes the one reading, or asks which.
func pick(readings []chain, req wire.ImportRequest) (chain, error) {
	if len(readings) == 1 {
		return readings[0], nil
	}
	q := wire.Question{Key: keyOrder, Text: "In which order do features pass its layers? Their shapes leave it open."}
	if readings[0].transposed != readings[len(readings)-1].transposed {
		q = wire.Question{Key: keyOrientation, Text: "Are its weights stored outputs by inputs, as PyTorch does it, or turned? Their shapes allow both."}
	}
	for _, r := range readings {
		value := r.names()
		label := fmt.Sprintf("%s (%s)", r.names(), nn.Shape(r.dims()))
		if q.Key == keyOrientation {
			value = strings.Join([]string{r.names(), orientation(r)}, ": ")
			label = fmt.Sprintf("%s: %s", orientation(r), nn.Shape(r.dims()))
		}
		q.Choices = append(q.Choices, wire.Choice{Value: value, Label: label})
	}
	answer, err := choose(req, q)
	if err != nil {
		return chain{}, err
	}
	return readings[slices.IndexFunc(q.Choices, func(c wire.Choice) bool { return c.Value == answer })], nil
}

func orientation(c chain) string {
	if c.transposed {
		return "turned"
	}
	return "outputs by inputs"
}
