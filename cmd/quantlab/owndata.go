package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"quantlab/cmd/internal/prepare"
	"quantlab/core/exchange"
	"quantlab/core/lab/wire"
	"quantlab/core/library"
	"quantlab/core/nn"
)

// ownData are the flags that put the reader's own examples in the place of the lab's.
type ownData struct {
	test, calibration string // names, or files and folders
}

func (o *ownData) addTo(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.test, "test-data", "", "measure accuracy on `examples` of your own: the name of some that you imported, or a\nfile or folder to read for this command only (see quantlab import --help)")
	f.StringVar(&o.calibration, "calibrate-with", "", "calibrate with `examples` of your own, given likewise")
}

// choose puts the examples that the flags name into the request, whose models are known to be there.
func (d *desk) choose(ctx context.Context, o ownData, req *wire.Request, m meter) error {
	defer m.close()
	read := map[string]string{} // names of the examples in files, by path
	for _, use := range []struct {
		flag, value string
		of          *string
	}{{"--test-data", o.test, &req.Test}, {"--calibrate-with", o.calibration, &req.Calibration}} {
		if use.value == "" {
			continue
		}
		name := use.value
		if _, err := d.own.DataOf(name); err != nil {
			if name, err = d.examplesIn(ctx, use.flag, use.value, read, m); err != nil {
				return err
			}
		}
		*use.of = name
	}
	req.Own = d.own
	return d.checkUse(*req)
}

// checkUse refuses examples that none of the request's models reads.
func (d *desk) checkUse(req wire.Request) error {
	for _, name := range []string{req.Test, req.Calibration} {
		if name == "" {
			continue
		}
		data, err := d.own.DataOf(name)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(req.Models, func(id string) bool {
			spec, err := d.own.Catalog().Of(id)
			return err == nil && data.ReadBy(spec) == nil
		}) {
			return usagef("%s are %s, which %s can't read: choose a model that does with --models", name, kindOfExamples(data.Data), strings.Join(req.Models, ", "))
		}
	}
	return nil
}

func kindOfExamples(data string) string {
	if data == nn.SST2 {
		return "sentences"
	}
	return "images of digits"
}

// examplesIn reads the examples in a file or folder, for this command only, and returns the name that they have in it. read holds
// what was read before.
func (d *desk) examplesIn(ctx context.Context, flag, path string, read map[string]string, m meter) (string, error) {
	if name, ok := read[path]; ok {
		return name, nil
	}
	if _, err := os.Stat(path); os.IsNotExist(err) {
		return "", usagef("there are no examples of your own named %.60q, and no file or folder of that name: give another to %s, or bring them with quantlab import%s", path, flag, among(dataNames(d.own)))
	}
	files, err := readFiles(ctx, path)
	if err != nil {
		return "", err
	}
	im, err := exchange.Import(ctx, files, wire.ImportRequest{}, d.Source, m.at)
	switch {
	case err != nil:
		return "", fmt.Errorf("%s: %w", path, err)
	case im.Model != nil:
		return "", usagef("%s holds a model, no examples: bring it with quantlab import, or give examples to %s", path, flag)
	case im.Data == nil:
		return "", usagef("%s leaves a choice open: bring it with quantlab import %s, which asks, and give %s the name that it gets", path, shellWord(path), flag)
	}
	for _, taken := range read {
		if taken == im.Data.Name {
			return "", usagef("the examples for both flags would be named %s: rename one file, or bring one with quantlab import --as NAME", taken)
		}
	}
	if len(read) == 0 {
		d.Library = library.New(prepare.Above(d.store.Shelf()))
	}
	if err := d.Library.Add(ctx, im, true); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	read[path] = im.Data.Name
	return im.Data.Name, d.use(ctx, d.Library)
}

// among lists what there is to choose from, for the end of a sentence.
func among(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return " (there are " + strings.Join(names, ", ") + ")"
}

func dataNames(own *wire.Own) (names []string) {
	if own != nil {
		for _, data := range own.Data {
			names = append(names, data.Name)
		}
	}
	return names
}
