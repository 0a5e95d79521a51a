package wire

import (
	"fmt"
	"slices"

	"quantlab/core/nn"
)

// Own is what the reader brought: models and data, by their names.
type Own struct {
	Models []OwnModel `json:"models,omitempty"`
	Data   []OwnData  `json:"data,omitempty"`
}

// An OwnModel is a model that the reader brought.
type OwnModel struct {
	Spec   nn.Spec  `json:"spec"`
	File   string   `json:"file"`            // the name of the file that it came in: "mlp.pt"
	Format string   `json:"format"`          // of that file: "PyTorch state_dict"
	Bytes  int64    `json:"bytes"`           // of that file
	Notes  []string `json:"notes,omitempty"` // how it was read: what was found, and what had to be assumed
}

// An OwnData is a set of examples that the reader brought.
type OwnData struct {
	Name     string   `json:"name"`
	Data     string   `json:"data"` // what its examples are: nn.MNIST, images of digits' size, or nn.SST2, sentences
	Examples int      `json:"examples"`
	Labels   []string `json:"labels"` // the classes' names, in their order
	File     string   `json:"file"`   // "my-digits.zip"
	Format   string   `json:"format"` // "PNG images in folders"
	Bytes    int64    `json:"bytes"`
	Notes    []string `json:"notes,omitempty"`
}

// EntryOf names what is kept of something of the reader's own, KindModel or KindData: "model/my-mlp".
func EntryOf(kind, name string) string { return kind + "/" + name }

// Bounds of what the reader brings.
const (
	MaxFile    = 256 << 20 // bytes of all files of one import together
	MaxFiles   = 20000     // of one import, files in an archive counted
	MaxOwn     = 50        // models, and as many sets of examples, that are kept
	MaxOwnData = 100000    // examples of a set
)

// Specs returns the models' specs.
func (o *Own) Specs() []nn.Spec {
	var specs []nn.Spec
	if o != nil {
		for _, m := range o.Models {
			specs = append(specs, m.Spec)
		}
	}
	return specs
}

// NamedBy returns what the request names; nil where that is nothing.
func (o *Own) NamedBy(r Request) *Own {
	if o == nil {
		return nil
	}
	var named Own
	for _, m := range o.Models {
		if slices.Contains(r.Models, m.Spec.ID) {
			named.Models = append(named.Models, m)
		}
	}
	use := []string{r.Test, r.Calibration}
	for _, m := range named.Models {
		use = append(use, m.Spec.Test, m.Spec.Calibration)
	}
	for _, d := range o.Data {
		if slices.Contains(use, d.Name) {
			named.Data = append(named.Data, d)
		}
	}
	if named.Models == nil && named.Data == nil {
		return nil
	}
	return &named
}

// Catalog returns the lab's models and the reader's own.
func (o *Own) Catalog() nn.Catalog { return nn.CatalogOf(o.Specs()) }

// DataOf returns the reader's own examples of that name.
func (o *Own) DataOf(name string) (OwnData, error) {
	if o != nil {
		for _, d := range o.Data {
			if d.Name == name {
				return d, nil
			}
		}
	}
	return OwnData{}, fmt.Errorf("there are no examples of your own named %.60q: bring them first", name)
}

// The operations of a Command that bring, change and take away what is the reader's own. Those that change something answer with
// EventOwn.
const (
	OpOwn    = "own"    // EventOwn: what there is
	OpImport = "import" // Import: EventProgress, then EventImport; the files come beside the command
	OpRename = "rename" // Rename
	OpRemove = "remove" // Remove
	OpExport = "export" // Export: EventFile; the file comes beside the event
)

// The kinds of Event that answer them.
const (
	EventOwn    = "own"    // Own: everything that there is now
	EventImport = "import" // Import
	EventFile   = "file"   // File
)

// An ImportRequest brings a model, with its vocabulary perhaps, or a set of examples.
type ImportRequest struct {
	Name    string            `json:"name,omitempty"`    // "" takes one from the file's name
	Answers map[string]string `json:"answers,omitempty"` // to Questions, by their keys
	Replace bool              `json:"replace,omitempty"` // what has that name already
}

// A Question is what a file leaves open.
type Question struct {
	Key     string   `json:"key"`  // of ImportRequest.Answers
	Text    string   `json:"text"` // one sentence or two
	Choices []Choice `json:"choices,omitempty"`
	File    bool     `json:"file,omitempty"`   // it is answered by one more file: the vocabulary
	Exists  bool     `json:"exists,omitempty"` // the name is taken: another name, or Replace, answers it
}

// A Choice is one answer to a Question.
type Choice struct {
	Value string `json:"value"`
	Label string `json:"label"`
}

// An Import is what became of an ImportRequest: exactly one of Questions, Model and Data is there. Nothing is kept while
// there are questions.
type Import struct {
	Questions []Question `json:"questions,omitempty"`
	Model     *OwnModel  `json:"model,omitempty"`
	Data      *OwnData   `json:"data,omitempty"`
}

// A RenameRequest gives a model, or a set of examples, another name.
type RenameRequest struct {
	Kind string `json:"kind"` // KindModel or KindData
	From string `json:"from"`
	To   string `json:"to"`
}

// A RemoveRequest takes a model, or a set of examples, away for good.
type RemoveRequest struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
}

// The kinds of what is the reader's own.
const (
	KindModel = "model"
	KindData  = "data"
)

// The formats of an ExportRequest.
const (
	Safetensors = "safetensors"
	PyTorch     = "pt"
	ONNX        = "onnx"
)

// ExportFormats returns the formats' names, which are the extensions of their files.
func ExportFormats() []string { return []string{Safetensors, PyTorch, ONNX} }

// An ExportRequest asks for a converted model as a file that other programs read.
type ExportRequest struct {
	Model   string      `json:"model"`
	Variant string      `json:"variant"`          // one of the lab's, or Custom
	Custom  *Conversion `json:"custom,omitempty"` // with Custom
	Format  string      `json:"format"`
}

// Validate reports what of the request no host can carry out.
func (r ExportRequest) Validate() error {
	if !slices.Contains(ExportFormats(), r.Format) {
		return fmt.Errorf("unknown format %.20q: choose %s, %s or %s", r.Format, Safetensors, PyTorch, ONNX)
	}
	if r.Variant == Custom {
		if r.Custom == nil {
			return fmt.Errorf("there is no plan to convert with: give one")
		}
		return nil
	}
	_, err := VariantOf(r.Variant)
	return err
}

// An Exported describes a file that an ExportRequest gave.
type Exported struct {
	Name  string   `json:"name"` // "mnist-lab2-static-qint8.onnx"
	Bytes int64    `json:"bytes"`
	Notes []string `json:"notes,omitempty"` // what its reader must know
}
