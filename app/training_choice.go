package app

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

// A trainChoice is what the reader chose in Training. It is always one that a host can carry out.
type trainChoice struct {
	Own         *wire.Own // what the reader brought, to choose from beside the lab's
	Model, Type string
	Where       string // wire.Browser or wire.Native

	// 0 leaves them to the place: see options.
	Seeds, Epochs int
	Limit         int // allExamples, or how many are trained on
}

const (
	// allExamples is the Limit that is none.
	allExamples = -1
	// leastExamples are a batch or two.
	leastExamples = 200
	// quickLimit is how many examples a browser trains on where nothing else is asked for: seconds, not minutes.
	quickLimit = 12000
)

func firstTrainChoice(own *wire.Own) trainChoice {
	return trainChoice{Own: own, Model: "mnist-lab1", Type: wire.BFloat16, Where: wire.Browser}
}

// The keys of Training in an address.
const (
	keyTrain       = "train"
	keyAMP         = "amp"
	keyTrainWhere  = "trainwhere"
	keyTrainSeeds  = "trainseeds"
	keyTrainEpochs = "trainepochs"
	keyTrainLimit  = "trainlimit"
)

var trainKeys = []string{keyTrain, keyAMP, keyTrainWhere, keyTrainSeeds, keyTrainEpochs, keyTrainLimit}

// with returns the choice with one thing changed, named and spelled as in an address, or the reason why not.
func (c trainChoice) with(key, v string) (next trainChoice, err error) {
	next = c
	switch key {
	case keyTrain:
		_, err = c.Own.Catalog().Of(v)
		next.Model = v
	case keyAMP:
		next.Type, err = oneOf("type", v, wire.BFloat16, wire.Float16)
	case keyTrainWhere:
		next.Where, err = oneOf("place", v, wire.Browser, wire.Native)
	case keyTrainSeeds:
		next.Seeds, err = parseWithin("seeds", v, 1, wire.MaxTrainings)
	case keyTrainEpochs:
		next.Epochs, err = parseWithin("epochs", v, 1, wire.MaxEpochs)
	case keyTrainLimit:
		if next.Limit = allExamples; v != "all" {
			next.Limit, err = parseWithin("training examples", strings.ReplaceAll(v, ",", ""), leastExamples, 1<<20)
		}
	default:
		err = fmt.Errorf("there is no setting %q", key)
	}
	if err != nil {
		return c, err
	}
	return next, nil
}

// value spells one thing as with reads it, "" where it is left to the place.
func (c trainChoice) value(key string) string {
	number := func(n int) string {
		switch n {
		case 0:
			return ""
		case allExamples:
			return "all"
		}
		return strconv.Itoa(n)
	}
	switch key {
	case keyTrain:
		return c.Model
	case keyAMP:
		return c.Type
	case keyTrainWhere:
		return c.Where
	case keyTrainSeeds:
		return number(c.Seeds)
	case keyTrainEpochs:
		return number(c.Epochs)
	case keyTrainLimit:
		return number(c.Limit)
	}
	return ""
}

// query spells what differs from the choice at first, as parseTrainChoice reads it.
func (c trainChoice) query() string { return queryOf(c, firstTrainChoice(c.Own), trainKeys) }

// parseTrainChoice reads an address.
func parseTrainChoice(query url.Values, own *wire.Own) (trainChoice, []string) {
	return readChoices(firstTrainChoice(own), trainKeys, query)
}

// spec is the model's, which is always one that there is.
func (c trainChoice) spec() nn.Spec {
	spec, _ := c.Own.Catalog().Of(c.Model)
	return spec
}

// examples counts the training set, and names what is in it.
func (c trainChoice) examples() (n int, kind string) {
	if d, err := c.Own.DataOf(c.spec().Calibration); err == nil {
		return d.Examples, "example"
	}
	if c.spec().Data == nn.SST2 {
		return 67349, "phrase"
	}
	return 60000, "image"
}

// options are what is asked of the place: a browser is slow, so that what is left to it is a quick look.
func (c trainChoice) options() wire.AMPOptions {
	all, _ := c.examples()
	o := wire.AMPOptions{Type: c.Type, Seeds: c.Seeds, Epochs: c.Epochs, Limit: c.Limit}
	browser := c.Where == wire.Browser
	if o.Seeds == 0 {
		if o.Seeds = wire.DefaultTrainings; browser {
			o.Seeds = 1
		}
	}
	if o.Epochs == 0 {
		if o.Epochs = c.spec().Epochs; browser {
			o.Epochs = 1
		}
	}
	if o.Limit == 0 {
		if o.Limit = allExamples; browser {
			o.Limit = quickLimit
		}
	}
	if o.Limit < 0 || o.Limit >= all {
		o.Limit = 0
	}
	if o.Epochs == c.spec().Epochs {
		o.Epochs = 0
	}
	return o
}

// An amount is how much is trained, by a name.
type amount struct {
	id, label     string
	epochs, limit int
}

var amounts = []amount{
	{"quick", "A quick look", 1, quickLimit},
	{"lab", "The lab’s", 2, allExamples},
}

// amount is the name of the amount that is chosen, "" where it has none.
func (c trainChoice) amount() string {
	o := c.options()
	for _, a := range amounts {
		named := c
		named.Epochs, named.Limit = a.epochs, a.limit
		if n := named.options(); n.Epochs == o.Epochs && n.Limit == o.Limit {
			return a.id
		}
	}
	return ""
}

// withAmount returns the choice with an amount that has a name.
func (c trainChoice) withAmount(id string) trainChoice {
	if i := slices.IndexFunc(amounts, func(a amount) bool { return a.id == id }); i >= 0 {
		c.Epochs, c.Limit = amounts[i].epochs, amounts[i].limit
	}
	return c
}

// request is what a host is asked for.
func (c trainChoice) request() *wire.Request {
	r := wire.Lab()
	r.Models = []string{c.Model}
	r.Own = c.Own.NamedBy(r)
	return &r
}

// says tells in words what will be trained.
func (c trainChoice) says() string {
	o := c.options()
	n, kind := c.examples()
	examples := "all " + plural(n, kind)
	if o.Limit > 0 {
		examples = "the first " + plural(o.Limit, kind)
	}
	epochs := o.Epochs
	if epochs == 0 {
		epochs = c.spec().Epochs
	}
	return fmt.Sprintf("%s on %s, %s, %s of each kind", c.Model, examples, plural(epochs, "epoch"), plural(o.Seeds, "training"))
}
