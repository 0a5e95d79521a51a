package prepare

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"quantlab/core/dataset"
	"quantlab/core/nn"
)

// urls say where the data sets are published.
type urls struct {
	mnist   []string      // folders that serve the four files, tried in turn
	sst2    string        // GLUE's archive
	sst2Sum string        // its SHA-256
	stall   time.Duration // a transfer that gives nothing for so long is given up
}

// publicURLs are mirrors of MNIST that serve the files as first published, byte for byte (PyTorch's and TensorFlow's
// own data loaders use them), and GLUE's home.
func publicURLs() urls {
	return urls{
		mnist: []string{"https://ossci-datasets.s3.amazonaws.com/mnist", "https://storage.googleapis.com/cvdf-datasets/mnist"},
		sst2:  "https://dl.fbaipublicfiles.com/glue/data/SST-2.zip", sst2Sum: "d67e16fb55739c1b32cdce9877596db1c127dc322d93c082281f64057c16deaa",
		stall: 30 * time.Second,
	}
}

// maxArchive bounds SST-2.zip, which has about 7.4 MB.
const maxArchive = 16 << 20

func defaultClient() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = (&net.Dialer{Timeout: 10 * time.Second}).DialContext
	t.TLSHandshakeTimeout = 10 * time.Second
	t.ResponseHeaderTimeout = 20 * time.Second
	return &http.Client{Transport: t}
}

// An unreachableError says that a download gave nothing usable.
type unreachableError struct{ err error }

func (e *unreachableError) Error() string { return e.err.Error() }
func (e *unreachableError) Unwrap() error { return e.err }

// download fetches the data set, verifies it and puts it into the cache.
func (s *Store) download(ctx context.Context, data string, say func(step string, fraction float64)) error {
	if data == nn.SST2 {
		return s.downloadSST2(ctx, say)
	}
	var err error
	for _, mirror := range s.env.urls.mnist {
		if err = s.downloadMNIST(ctx, mirror, say); err == nil || ctx.Err() != nil {
			return err
		}
		var unreachable *unreachableError
		if !errors.As(err, &unreachable) {
			return err
		}
	}
	return err
}

func (s *Store) downloadMNIST(ctx context.Context, mirror string, say func(step string, fraction float64)) error {
	var before, total int64
	for _, f := range files(nn.MNIST) {
		total += f.Size
	}
	for _, f := range files(nn.MNIST) {
		body, err := s.get(ctx, mirror+"/"+f.Name, f.Size, func(n int64) {
			say(fmt.Sprintf("downloading MNIST, %s of %s", megabytes(before+n), megabytes(total)), float64(before+n)/float64(total))
		})
		if err != nil {
			return err
		}
		if err := f.Verify(body); err != nil {
			return refuse(mirror+"/"+f.Name, err)
		}
		if err := s.writeBytes(filepath.Join(s.downloads(nn.MNIST), f.Name), body); err != nil {
			return err
		}
		before += f.Size
	}
	return nil
}

func (s *Store) downloadSST2(ctx context.Context, say func(step string, fraction float64)) error {
	const expected = 7_439_277 // for the progress only
	address := s.env.urls.sst2
	archive, err := s.get(ctx, address, maxArchive, func(n int64) {
		say("downloading SST-2, "+megabytes(n)+" of "+megabytes(max(n, expected)), min(float64(n)/expected, 1))
	})
	if err != nil {
		return err
	}
	sum := sha256.Sum256(archive)
	if got := hex.EncodeToString(sum[:]); got != s.env.urls.sst2Sum {
		return refuse(address, fmt.Errorf("SHA-256 %.12s…, not %.12s…", got, s.env.urls.sst2Sum))
	}
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return refuse(address, err)
	}
	for _, f := range dataset.SST2Files() {
		content, err := extract(z, "SST-2/"+strings.TrimPrefix(f.Name, "sst2/"), f)
		if err != nil {
			return refuse(address, err)
		}
		if err := s.writeBytes(filepath.Join(s.downloads(nn.SST2), filepath.FromSlash(f.Name)), content); err != nil {
			return err
		}
	}
	return nil
}

// extract unpacks one file, at most one byte more than it should have, and verifies it.
func extract(z *zip.Reader, member string, f dataset.File) ([]byte, error) {
	r, err := z.Open(member)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", member, err)
	}
	defer r.Close()
	content, err := io.ReadAll(io.LimitReader(r, f.Size+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", member, err)
	}
	return content, f.Verify(content)
}

// refuse says that the address served something else than what was published there.
func refuse(address string, err error) error {
	var damaged *dataset.IntegrityError
	if errors.As(err, &damaged) {
		err = errors.New(damaged.Problem)
	}
	return &unreachableError{fmt.Errorf("%s served something else: %w", address, err)}
}

// errStalled ends a transfer that gives nothing.
var errStalled = errors.New("no data came for too long")

// get fetches at most limit bytes; more are an error. Everything that can go wrong on the way is an *unreachableError.
func (s *Store) get(ctx context.Context, address string, limit int64, progress func(n int64)) ([]byte, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(s.env.urls.stall, func() { cancel(errStalled) })
	defer watchdog.Stop()
	fail := func(err error) ([]byte, error) {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // it would say the address again
		}
		return nil, &unreachableError{fmt.Errorf("downloading %s: %w", address, err)}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fail(err)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return fail(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fail(fmt.Errorf("the server answered %s", resp.Status))
	}
	if resp.ContentLength > limit {
		return fail(fmt.Errorf("%d bytes are more than the %d expected", resp.ContentLength, limit))
	}
	var body bytes.Buffer
	buf := make([]byte, 64<<10)
	for {
		n, err := resp.Body.Read(buf)
		body.Write(buf[:n])
		if n > 0 {
			watchdog.Reset(s.env.urls.stall)
			progress(int64(body.Len()))
		}
		switch {
		case int64(body.Len()) > limit:
			return fail(fmt.Errorf("more than the %d bytes expected", limit))
		case err == io.EOF:
			return body.Bytes(), nil
		case err != nil:
			return fail(err)
		}
	}
}

// megabytes spells a number of bytes: "7.4 MB".
func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }
