package admin

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"coatcheck/bff/apikey"
)

// Keys is what the administration of programs' keys needs.
type Keys struct {
	// Table holds the keys that are made, rotated and ended.
	Table *apikey.Table
	// Caller finds a caller that proves itself by keys, and the longest life of its keys;
	// 0: no end.
	Caller func(name string) (longest time.Duration, ok bool)
	// Event counts what was done; nil: nobody does.
	Event func(event, outcome string)
}

const (
	// maxKeysBody bounds the body of a request.
	maxKeysBody = 1 << 20
	// overlapDefault is how long a key lives on beside the one that takes its place.
	overlapDefault = 24 * time.Hour
	// longestSpan bounds the times that an operator may name.
	longestSpan = 10 * 365 * 24 * time.Hour
	maxLabel    = 200
)

func (o Options) addKeys(mux *http.ServeMux) {
	if o.Keys == nil {
		return
	}
	mux.HandleFunc("GET /admin/keys", o.authorized(o.listKeys))
	mux.HandleFunc("POST /admin/keys", o.authorized(o.issueKey))
	mux.HandleFunc("DELETE /admin/keys/{id}", o.authorized(o.revokeKey))
	mux.HandleFunc("POST /admin/keys/{id}/rotate", o.authorized(o.rotateKey))
	mux.HandleFunc("POST /admin/keys/leaked", o.authorized(o.leakedKeys))
}

// span is a time in a request: whole seconds, or text as in the configuration ("720h").
type span struct{ time.Duration }

// UnmarshalJSON implements [json.Unmarshaler].
func (s *span) UnmarshalJSON(b []byte) (err error) {
	var text string
	if json.Unmarshal(b, &text) == nil {
		s.Duration, err = time.ParseDuration(text)
	} else {
		var seconds int64
		seconds, err = strconv.ParseInt(string(b), 10, 64)
		if seconds > int64(longestSpan/time.Second) {
			return errSpan
		}
		s.Duration = time.Duration(seconds) * time.Second
	}
	if err != nil || s.Duration < 0 || s.Duration > longestSpan {
		return errSpan
	}
	return nil
}

var errSpan = errors.New("not a time: seconds, or text such as \"720h\"")

// errSecond says that something stands behind the body's JSON.
var errSecond = errors.New("something stands behind the JSON")

// made is a new key as it is shown, once.
type made struct {
	ID        string    `json:"id"`
	Key       string    `json:"key"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

func (o Options) issueKey(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Caller    string `json:"caller"`
		Label     string `json:"label"`
		ExpiresIn *span  `json:"expires_in"`
	}
	if !read(w, r, &in) {
		return
	}
	longest, known := o.Keys.Caller(in.Caller)
	life := longest
	if in.ExpiresIn != nil {
		life = in.ExpiresIn.Duration
	}
	switch {
	case !known:
		refuse(w, "no such caller with keys")
		return
	case len(in.Label) > maxLabel:
		refuse(w, "the label is too long")
		return
	case longest > 0 && (life > longest || life == 0), in.ExpiresIn != nil && life == 0:
		refuse(w, "expires_in is not within the caller's expires")
		return
	}
	key, record, err := o.Keys.Table.Issue(r.Context(), in.Caller, in.Label, life)
	o.showKey(w, r, "issued", key, record, err)
}

// showKey answers with a new key. One that is stored is shown, even where this process
// has not read it back yet: nobody else could.
func (o Options) showKey(w http.ResponseWriter, r *http.Request, outcome string, key apikey.Key, record apikey.Record, err error) {
	if key.ID == "" {
		o.failKeys(w, err)
		return
	}
	o.tellKey(r, outcome, slog.String("caller", record.Caller), slog.String("key", record.ID))
	reply(w, http.StatusCreated, made{record.ID, key.Secret.Reveal(), record.ExpiresAt})
}

func (o Options) listKeys(w http.ResponseWriter, r *http.Request) {
	records, err := o.Keys.Table.List(r.Context(), r.URL.Query().Get("caller"))
	if err != nil {
		o.failKeys(w, err)
		return
	}
	type entry struct {
		ID        string    `json:"id"`
		Caller    string    `json:"caller"`
		Label     string    `json:"label,omitempty"`
		CreatedAt time.Time `json:"created_at"`
		ExpiresAt time.Time `json:"expires_at,omitzero"`
		LastUsed  time.Time `json:"last_used,omitzero"`
		RotatedTo string    `json:"rotated_to,omitempty"`
	}
	list := make([]entry, 0, len(records))
	for _, k := range records {
		list = append(list, entry{k.ID, k.Caller, k.Label, k.CreatedAt, k.ExpiresAt, k.LastUsed, k.RotatedTo})
	}
	reply(w, 200, list)
}

func (o Options) revokeKey(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if err := o.Keys.Table.Revoke(r.Context(), id); err != nil {
		o.failKeys(w, err)
		return
	}
	o.tellKey(r, "revoked", slog.String("key", id)) // it was known, so that it is of our making
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
}

func (o Options) rotateKey(w http.ResponseWriter, r *http.Request) {
	in := struct {
		Overlap *span `json:"overlap"`
	}{}
	if !read(w, r, &in) {
		return
	}
	overlap := overlapDefault
	if in.Overlap != nil {
		overlap = in.Overlap.Duration
	}
	id := r.PathValue("id")
	caller, err := o.Keys.Table.Caller(r.Context(), id)
	if err != nil {
		o.failKeys(w, err)
		return
	}
	longest, known := o.Keys.Caller(caller)
	if !known {
		refuse(w, "the configuration has no such caller with keys any more")
		return
	}
	key, record, err := o.Keys.Table.Rotate(r.Context(), id, overlap, longest)
	o.showKey(w, r, "rotated", key, record, err)
}

// leakedKeys revokes keys that were found in the open. Those of the configuration are
// named: a person must take them out of the file.
func (o Options) leakedKeys(w http.ResponseWriter, r *http.Request) {
	var found []string
	if !read(w, r, &found) {
		return
	}
	revoked, inFile, err := o.Keys.Table.Leaked(r.Context(), found)
	if errors.Is(err, apikey.ErrTooMany) {
		refuse(w, "too many strings at once; none was looked at")
		return
	}
	for _, e := range inFile {
		o.tellKey(r, "leaked_in_file", slog.String("caller", e.Caller), slog.String("key", e.Public))
	}
	if err != nil {
		o.failKeys(w, err)
		return
	}
	if revoked > 0 {
		o.tellKey(r, "leaked", slog.Int("revoked", revoked))
	}
	reply(w, 200, map[string]int{"revoked": revoked, "in_file": len(inFile)})
}

func (o Options) tellKey(r *http.Request, outcome string, attrs ...slog.Attr) {
	if o.Keys.Event != nil {
		o.Keys.Event("key", outcome)
	}
	attrs = append([]slog.Attr{slog.String("event", "key"), slog.String("outcome", outcome)}, attrs...)
	o.Log.LogAttrs(r.Context(), slog.LevelInfo, "security", attrs...)
}

// read reads a JSON body; an empty one is {}.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxKeysBody))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		if _, end := d.Token(); !errors.Is(end, io.EOF) { // two values: which one is meant?
			err = errSecond
		}
	}
	if err != nil && (r.ContentLength != 0 || r.URL.Path == "/admin/keys") {
		refuse(w, "the body is not the JSON that is taken here")
		return false
	}
	return true
}

func refuse(w http.ResponseWriter, why string) { reply(w, 400, map[string]string{"error": why}) }

func (o Options) failKeys(w http.ResponseWriter, err error) {
	status := 500
	switch {
	case errors.Is(err, apikey.ErrUnknown):
		status = 404
	case errors.Is(err, apikey.ErrFull):
		status = 409
	case errors.Is(err, apikey.ErrUnavailable):
		status = 503
		w.Header().Set("Retry-After", "2")
	}
	if status >= 500 {
		o.Log.Error("key administration", "error", err)
	}
	reply(w, status, map[string]string{"error": http.StatusText(status)})
}
