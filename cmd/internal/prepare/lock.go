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

// tryLock takes the cache's lock if nobody holds it; release is to be called in any case.
func (s *Store) tryLock() (release func()) {
	l := s.newLock()
	_, _ = l.TryLock()
	return func() { _ = l.Unlock() }
}

// newLock returns the lock, not yet taken. Whoever may write the folder can take it.
func (s *Store) newLock() *flock.Flock {
	return flock.New(filepath.Join(s.cache, "lock"), flock.SetPermissions(0o644))
}

// waiting says that another process holds the lock.
func (s *Store) waiting() string {
	return fmt.Sprintf("another quantlab is preparing in %s: waiting for it to finish", s.cache)
}

// lock takes the cache's lock, which the system releases should this process die, and removes what a killed process
// left. If another process holds it, lock calls waiting once and waits until ctx ends.
func (s *Store) lock(ctx context.Context, waiting func()) (release func(), err error) {
	if err := s.mkdir(s.cache); err != nil {
		return nil, err
	}
	l := s.newLock()
	ok, err := l.TryLock()
	if err == nil && !ok {
		waiting()
		ok, err = l.TryLockContext(ctx, lockPoll)
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, s.diskError(l.Path(), err)
	}
	if !ok {
		return nil, fmt.Errorf("locking %s: refused", l.Path())
	}
	release = func() { _ = l.Unlock() }
	if err := s.sweep(); err != nil {
		release()
		return nil, err
	}
	return release, nil
}
