package app

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"strings"
)

// choices are what the reader chose in a view, key by key as addresses spell it; with changes one, or says why it can't be.
type choices[C any] interface {
	value(key string) string
	with(key, value string) (C, error)
}

// maxChoice bounds what is read of one choice in an address, in bytes: a plan of eight layers has some 300.
const maxChoice = 1024

// queryOf spells what differs from the choices at first, as readChoices reads it.
func queryOf[C choices[C]](c, first C, keys []string) string {
	var parts []string
	for _, key := range keys {
		if v := c.value(key); v != first.value(key) {
			parts = append(parts, key+"="+strings.ReplaceAll(url.QueryEscape(v), "%2C", ","))
		}
	}
	return strings.Join(parts, "&")
}

// readChoices reads an address. What is missing is as at first; what is malformed is, too, and a sentence says so.
func readChoices[C choices[C]](first C, keys []string, query url.Values) (C, []string) {
	c, notices := first, []string(nil)
	for _, key := range keys {
		values, ok := query[key]
		if !ok {
			continue
		}
		v := strings.TrimSpace(strings.Join(values, ","))
		next, err := c, errors.New("that is too long")
		if len(v) <= maxChoice {
			next, err = c.with(key, v)
		}
		if err != nil {
			notices = append(notices, fmt.Sprintf("The link says %s=%s, but %v. It is left as at first.", key, brief(v), err))
			continue
		}
		c = next
	}
	return c, notices
}

// choose returns the choices with one changed. What can't be taken stays in its field with the reason, and changes nothing.
func choose[C choices[C]](s *session, c C, drafts *map[string]Draft, key, value string) C {
	kept := maps.Clone(*drafts)
	delete(kept, key)
	next, err := c.with(key, value)
	if err != nil {
		problem := sentence(err.Error())
		put(&kept, key, Draft{Text: value, Problem: problem})
		s.say(problem)
		next = c
	}
	*drafts = kept
	return next
}
