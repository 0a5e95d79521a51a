package prepare

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"quantlab/core/dataset"
	"quantlab/core/kernel"
	"quantlab/core/lab"
	"quantlab/core/lab/wire"
	"quantlab/core/modelfile"
	"quantlab/core/nn"
	"quantlab/core/train"
)

// network returns the spec's trained model: the cached one of the present settings, or else the one that comes with the
// program if it was trained with the same settings, or if the data to train another isn't here.
func (s *Store) network(ctx context.Context, spec nn.Spec) (network, error) {
	return recall(&s.memo.mu, &s.memo.networks, spec.ID, func() (network, error) {
		settings := settingsOf(spec, DefaultSeed)
		path := s.modelPath(settings)
		data, err := readModel(path, spec)
		if err == nil {
			n, err := parseModel(data, spec)
			if err == nil && !n.trainedWith(settings) {
				err = errors.New("was trained with other settings than its name says")
			}
			if err != nil {
				return n, &dataset.IntegrityError{Path: path, Problem: "can't be used", Err: err, Hint: "delete it and run quantlab prepare"}
			}
			return n, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return network{}, err
		}
		here := s.find(ctx, spec.Data) != ""
		if data := s.env.pretrained(spec.ID); data != nil {
			n, err := parseModel(data, spec)
			if err != nil {
				return n, fmt.Errorf("the model %s that comes with the program: %w", spec.ID, err)
			}
			if !here || n.trainedWith(settings) {
				return n, nil
			}
		}
		if !here {
			return network{}, s.missing(spec.Data, nil)
		}
		return network{}, &dataset.MissingError{What: "model " + spec.ID, Path: path, Hint: "run quantlab prepare"}
	})
}

// maxMetadata bounds what a model's file holds beside its weights: mostly the vocabulary.
const maxMetadata = 4 << 20

// readModel reads a model's file, unless it is far larger than the spec's model can be.
func readModel(path string, spec nn.Spec) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	limit := int64(4*spec.Params()) + maxMetadata
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	if int64(len(data)) > limit {
		return nil, &dataset.IntegrityError{Path: path, Problem: fmt.Sprintf("is larger than the %d bytes that %s can have", limit, spec.ID), Hint: "delete it and run quantlab prepare"}
	}
	return data, nil
}

func parseModel(data []byte, spec nn.Spec) (network, error) {
	net, meta, err := modelfile.ReadNetwork(bytes.NewReader(data), spec)
	return network{net: net, meta: meta, data: data}, err
}

// trainedWith reports whether the file says that the settings trained it.
func (n network) trainedWith(settings Settings) bool {
	var was Settings
	return json.Unmarshal(n.meta.Settings, &was) == nil && was.key() == settings.key()
}

// model makes sure that the spec's model is in the cache, if its data is here.
func (j *job) model(ctx context.Context, spec nn.Spec) error {
	_, err := j.network(ctx, spec)
	if err == nil {
		return nil
	}
	at, end := j.tracker.part(costTrain(spec))
	defer end()
	if j.folders[spec.Data] == "" {
		return nil
	}
	var damaged *dataset.IntegrityError
	if errors.As(err, &damaged) {
		told := *damaged
		told.Hint = "it is trained again"
		j.tracker.note(told.Error())
	}
	t, err := j.fit(ctx, spec, DefaultSeed, train.Float32, at)
	if err != nil {
		return err
	}
	_, err = j.keep(t)
	return err
}

// Trained is a model fresh from training.
type Trained struct {
	Settings Settings
	Network  *nn.Network
	Meta     modelfile.Meta // complete: settings, accuracy, vocabulary, calibration
	Training wire.Training  // how it went
}

// TrainModel trains the spec's model from the seed in that precision, measures its accuracy and calibrates it. It brings the data
// first if need be, and writes nothing else. progress, which may be nil, hears what is being done and how much of the whole is
// over.
func (s *Store) TrainModel(ctx context.Context, spec nn.Spec, seed uint64, precision train.Precision, progress func(step string, fraction float64)) (*Trained, error) {
	if progress == nil {
		progress = func(string, float64) {}
	}
	if s.find(ctx, spec.Data) == "" {
		release, err := s.lock(ctx, func() { progress(s.waiting(), 0) })
		if err != nil {
			return nil, err
		}
		_, err = s.obtain(ctx, spec.Data, func(step string, _ float64) { progress(step, 0) })
		release()
		if err != nil {
			return nil, err
		}
	}
	return s.fit(ctx, spec, seed, precision, progress)
}

// fit does what TrainModel promises, on data that is here.
func (s *Store) fit(ctx context.Context, spec nn.Spec, seed uint64, precision train.Precision, progress func(step string, fraction float64)) (*Trained, error) {
	progress("reading the training data of "+spec.ID, 0)
	data, err := s.Train(ctx, spec, nil)
	if err != nil {
		return nil, err
	}
	// The last hundredths are for measuring.
	const share = 0.95
	options := train.Options{Seed: seed, Threads: s.threads, Engine: kernel.Best(), Precision: precision}
	record := lab.NewRecorder(spec.ID, options)
	net, err := train.Train(ctx, spec, data, options, func(p train.Progress) {
		record.Record(p)
		progress(fmt.Sprintf("training %s, epoch %d of %d", spec.ID, p.Epoch, p.Epochs), share*p.Share())
	})
	if err != nil {
		return nil, s.failed(ctx, spec, err)
	}
	t := &Trained{Settings: settingsOf(spec, seed), Network: net}
	if precision != train.Float32 {
		t.Settings.AMP = precision.String()
	}
	if err := s.describe(ctx, t, spec, func(f float64) { progress("measuring "+spec.ID, share+(1-share)*f) }); err != nil {
		return nil, s.failed(ctx, spec, err)
	}
	record.Score(t.Meta.Correct, t.Meta.Total)
	t.Training = record.Training()
	return t, nil
}

// describe fills in what the model's file says of it.
func (s *Store) describe(ctx context.Context, t *Trained, spec nn.Spec, progress func(fraction float64)) error {
	progress(0)
	test, err := s.Test(ctx, spec, 0, nil)
	if err != nil {
		return err
	}
	correct, total, err := train.Accuracy(ctx, t.Network, test, train.Options{Threads: s.threads, Engine: kernel.Best()})
	if err != nil {
		return err
	}
	progress(0.5)
	sample, err := s.Calibration(ctx, spec, nil)
	if err != nil {
		return err
	}
	calibration, err := lab.Calibrate(ctx, t.Network, sample, func(done, total int) { progress(0.5 + 0.5*float64(done)/float64(total)) })
	if err != nil {
		return err
	}
	t.Meta = modelfile.Meta{
		Model: spec.ID, Settings: t.Settings.json(), Correct: correct, Total: total, Calibration: calibration,
	}
	if spec.Data == nn.SST2 {
		dir, err := s.here(ctx, spec)
		if err != nil {
			return err
		}
		words, err := s.vocabulary(dir, spec)
		if err != nil {
			return err
		}
		t.Meta.Vocabulary = words.Words
	}
	return nil
}

func (s *Store) failed(ctx context.Context, spec nn.Spec, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("training %s: %w", spec.ID, err)
}

// WriteModel writes the model's safetensors file to path, which appears only when it is whole. WriteModel(t, path) of
// TrainModel's sst2-lab2 from DefaultSeed is what core/lab/pretrained embeds.
func (s *Store) WriteModel(t *Trained, path string) error {
	return s.write(path, func(w io.Writer) error { return modelfile.WriteNetwork(w, t.Network, t.Meta) })
}

// Save puts the model into the cache and returns its file.
func (s *Store) Save(t *Trained) (path string, err error) {
	// Whoever takes the lock removes temporary files. A process that holds it now has done so already.
	defer s.tryLock()()
	return s.keep(t)
}

// keep does what Save promises; the caller holds the lock.
func (s *Store) keep(t *Trained) (path string, err error) {
	path = s.modelPath(t.Settings)
	if err := s.WriteModel(t, path); err != nil {
		return "", err
	}
	s.memo.mu.Lock()
	defer s.memo.mu.Unlock()
	delete(s.memo.networks, t.Settings.Model)
	return path, nil
}
