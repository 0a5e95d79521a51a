package prepare

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// lockPoll is how often a waiting process looks whether the other one is done.
const lockPoll = 100 * time.Millisecond

// lock takes the cache's lock, which the system releases should this process die, and removes what a killed process
// left. If another process holds it, lock calls waiting once and waits until ctx ends.
func (s *Store) lock(ctx context.Context, waiting func()) (release func(), err error) {
	if err := s.mkdir(s.cache); err != nil {
		return nil, err
	}
	path := filepath.Join(s.cache, "lock")
	// A lock file that anybody may read can be locked by anybody who may write the folder.
	l := flock.New(path, flock.SetPermissions(0o644))
	ok, err := l.TryLock()
	if err == nil && !ok {
		waiting()
		ok, err = l.TryLockContext(ctx, lockPoll)
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, diskError(path, err)
	}
	if !ok {
		return nil, fmt.Errorf("locking %s: refused", path)
	}
	release = func() { _ = l.Unlock() }
	if err := s.sweep(); err != nil {
		release()
		return nil, err
	}
	return release, nil
}
