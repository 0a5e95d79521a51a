//go:build js && wasm

package main

import (
	"context"
	"io"
	"path"
	"syscall/js"
)

// shelfName is the name of the browser's cache that holds the site's data.
const shelfName = "quantlab data"

// A cacheShelf is a shelf in the browser's Cache API.
type cacheShelf struct {
	caches js.Value
	path   string // of the files on the site
}

// openShelf returns the browser's shelf, nil where it has none: it takes a secure context.
func openShelf() (s shelf) {
	defer func() {
		if recover() != nil { // the mere mention of caches throws where a sandbox denies them
			s = nil
		}
	}()
	caches := js.Global().Get("Reflect").Call("get", js.Global(), "caches")
	if !caches.Truthy() {
		return nil
	}
	return cacheShelf{caches: caches, path: dataPath}
}

// call calls a method of the cache.
func (c cacheShelf) call(ctx context.Context, method string, args ...any) (js.Value, error) {
	cache, err := await(ctx, c.caches.Call("open", shelfName))
	if err != nil {
		return cache, err
	}
	return await(ctx, cache.Call(method, args...))
}

func (c cacheShelf) get(ctx context.Context, name string) (io.ReadCloser, error) {
	response, err := c.call(ctx, "match", c.path+name)
	if err != nil || !response.Truthy() || !response.Get("body").Truthy() {
		return nil, err
	}
	return newBody(ctx, response, func() {}), nil
}

func (c cacheShelf) put(ctx context.Context, name string, data []byte) error {
	array := js.Global().Get("Uint8Array").New(len(data))
	js.CopyBytesToJS(array, data)
	_, err := c.call(ctx, "put", c.path+name, js.Global().Get("Response").New(array))
	return err
}

func (c cacheShelf) remove(ctx context.Context, name string) error {
	_, err := c.call(ctx, "delete", c.path+name)
	return err
}

func (c cacheShelf) names(ctx context.Context) ([]string, error) {
	requests, err := c.call(ctx, "keys")
	if err != nil {
		return nil, err
	}
	var names []string
	for i := range requests.Length() {
		names = append(names, path.Base(requests.Index(i).Get("url").String()))
	}
	return names, nil
}
