package prepare

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"quantlab/cmd/internal/atomicfile"
	"quantlab/core/dataset"
	"quantlab/core/dataset/shard"
	"quantlab/core/nn"
)

// siteVersion changes whenever this package gives other shards for the same data and models.
const siteVersion = 2

// siteOf returns the folder for the shards of what is here now: its name is a hash of that.
func (j *job) siteOf(ctx context.Context) string {
	state := struct {
		Version int
		Missing map[string]string
		Models  map[string]string // hash of each file
	}{siteVersion, j.absent(ctx), map[string]string{}}
	for _, spec := range j.specs {
		if n, err := j.network(ctx, spec); err == nil {
			state.Models[spec.ID] = hash(n.data)
		}
	}
	data, err := json.Marshal(state)
	if err != nil { // maps of strings always encode
		panic(err)
	}
	return filepath.Join(j.cache, "site", hash(data))
}

// absent says of each data set that isn't here how to supply it.
func (j *job) absent(ctx context.Context) map[string]string {
	missing := map[string]string{}
	for _, data := range j.sets() {
		if j.find(ctx, data) == "" {
			missing[data] = j.missing(data, nil).Hint
		}
	}
	return missing
}

// siteReady reports whether the shards of what is here are written.
func (j *job) siteReady(ctx context.Context) bool {
	dir := j.siteOf(ctx)
	if !complete(dir) {
		return false
	}
	j.setSite(dir)
	return true
}

func (j *job) setSite(dir string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.site = dir
}

// complete reports whether the folder holds a manifest and every shard that it lists, undamaged.
func complete(dir string) bool {
	data, err := os.ReadFile(filepath.Join(dir, shard.ManifestName))
	if err != nil {
		return false
	}
	m, err := shard.ParseManifest(data)
	if err != nil {
		return false
	}
	for e := range m.Entries() {
		if !holdsShard(filepath.Join(dir, e.Name), e) {
			return false
		}
	}
	return true
}

// holdsShard reports whether the file is the shard of that entry. All shards together are some 60 MB, which takes a tenth
// of a second once a start; a browser that was handed a damaged one could only say so.
func holdsShard(path string, e shard.Entry) bool {
	info, err := os.Stat(path)
	if err != nil || info.Size() != e.Bytes {
		return false
	}
	data, err := os.ReadFile(path)
	return err == nil && e.Check(data) == nil
}

// writeSite writes the shards into a temporary folder, which is then renamed.
func (j *job) writeSite(ctx context.Context) (err error) {
	at, end := j.tracker.part(costSite)
	defer end()
	if j.siteReady(ctx) {
		return nil
	}
	const step = "writing the browser's files"
	at(step, 0)
	content, err := j.content(ctx)
	if err != nil {
		return err
	}
	dir := j.siteOf(ctx)
	if err := j.mkdir(filepath.Dir(dir)); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), atomicfile.Prefix+"*")
	if err != nil {
		return j.diskError(dir, err)
	}
	defer os.RemoveAll(tmp) // renamed by then, if all went well
	_, err = shard.WriteSite(content, func(name string, data []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return j.writeBytes(filepath.Join(tmp, name), data)
	}, func(done, total int64) { at(step, float64(done)/float64(total)) })
	if err != nil {
		return err
	}
	// What stands in the way isn't complete.
	if err := errors.Join(os.RemoveAll(dir), os.Chmod(tmp, 0o755), os.Rename(tmp, dir)); err != nil {
		return j.diskError(dir, err)
	}
	j.setSite(dir)
	return j.prune(dir)
}

// content collects what the shards hold.
func (j *job) content(ctx context.Context) (c shard.Content, err error) {
	c.Missing = j.absent(ctx)
	if dir := j.folders[nn.MNIST]; dir != "" {
		if c.MNISTTest, err = j.images(dir, dataset.Test); err != nil {
			return c, err
		}
		if c.MNISTTrain, err = j.images(dir, dataset.Train); err != nil {
			return c, err
		}
	}
	if dir := j.folders[nn.SST2]; dir != "" {
		if c.SST2Dev, err = j.sentences(dir, dataset.Dev); err != nil {
			return c, err
		}
		if c.SST2Train, err = j.sentences(dir, dataset.Train); err != nil {
			return c, err
		}
		if c.Vocabulary, err = j.vocabulary(dir, nn.Spec{}); err != nil {
			return c, err
		}
	}
	for _, spec := range j.specs {
		n, err := j.network(ctx, spec)
		if isMissing(err) {
			continue
		}
		if err != nil {
			return c, err
		}
		c.Models = append(c.Models, shard.ModelContent{
			ID: spec.ID, Data: n.data, Accuracy: float64(n.meta.Correct) / float64(max(n.meta.Total, 1)), Settings: n.meta.Settings,
		})
		if spec.Data == nn.SST2 && c.Vocabulary == nil {
			// Without the data, what the trained model knows is all there is.
			if c.Vocabulary, err = dataset.NewVocabulary(n.meta.Vocabulary); err != nil {
				return c, err
			}
		}
	}
	return c, ctx.Err()
}

// prune removes old sites, but for the one before: a server may still be serving it.
func (j *job) prune(current string) error {
	parent := filepath.Dir(current)
	entries, err := os.ReadDir(parent)
	if err != nil {
		return j.diskError(parent, err)
	}
	type site struct {
		path string
		info fs.FileInfo
	}
	var old []site
	for _, e := range entries {
		path := filepath.Join(parent, e.Name())
		if info, err := e.Info(); err == nil && e.IsDir() && path != current && !strings.HasPrefix(e.Name(), atomicfile.Prefix) {
			old = append(old, site{path, info})
		}
	}
	slices.SortFunc(old, func(a, b site) int { return b.info.ModTime().Compare(a.info.ModTime()) })
	for _, o := range old[min(1, len(old)):] {
		if err := os.RemoveAll(o.path); err != nil {
			return j.diskError(o.path, err)
		}
	}
	return nil
}
