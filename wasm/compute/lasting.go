package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"quantlab/core/library"
)

// openTime is how long a browser may take to open its database. Some never do.
const openTime = 5 * time.Second

// A lasting shelf is the browser's, or one in memory where the browser has none for this page, which its first use shows.
type lasting struct {
	browser library.Shelf

	once    sync.Once
	shelf   library.Shelf
	mu      sync.Mutex
	refused bool
}

func (l *lasting) open(ctx context.Context) library.Shelf {
	l.once.Do(func() {
		l.shelf = l.browser
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), openTime)
		defer cancel()
		if _, err := l.browser.Names(ctx); err != nil {
			l.shelf = library.Memory()
			l.mu.Lock()
			l.refused = true
			l.mu.Unlock()
		}
	})
	return l.shelf
}

// notes says what the reader must know of the shelf, as far as it was used.
func (l *lasting) notes() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.refused {
		return []string{"this browser stores nothing for this page (it can't, or may not, as in a private window): your models and data last until the page is closed or loaded again, and can't be measured natively"}
	}
	return nil
}

// Names implements library.Shelf.
func (l *lasting) Names(ctx context.Context) ([]string, error) { return l.open(ctx).Names(ctx) }

// Get implements library.Shelf.
func (l *lasting) Get(ctx context.Context, name string) ([]byte, error) {
	return l.open(ctx).Get(ctx, name)
}

// Put implements library.Shelf.
func (l *lasting) Put(ctx context.Context, name string, data []byte) error {
	return l.open(ctx).Put(ctx, name, data)
}

// Remove implements library.Shelf.
func (l *lasting) Remove(ctx context.Context, name string) error {
	return l.open(ctx).Remove(ctx, name)
}

// refused says in a sentence what a browser's database refused to do; kind is the name of the DOMException.
func refused(kind, text string) error {
	switch kind {
	case "QuotaExceededError":
		return errors.New("this browser has no more room for this page: remove a model or data of your own, or free some storage, then bring it again")
	case "NotReadableError", "NotFoundError", "DataError":
		return fmt.Errorf("this browser can't read what it has stored (%s): remove it, and bring it again", strings.TrimSuffix(text, "."))
	}
	return fmt.Errorf("this browser's storage failed (%s): reload the page, and try again", strings.TrimSuffix(text, "."))
}
