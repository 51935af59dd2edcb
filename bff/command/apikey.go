package command

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"coatcheck/bff/admin"
	"coatcheck/bff/apikey"
)

// adminTokenVariable is where the token of the admin listener is read. It is no flag,
// because every user of a machine can read the command lines of the others.
const adminTokenVariable = "COATCHECK_ADMIN_TOKEN"

// keysLimit bounds how long the admin listener is waited for.
const keysLimit = 15 * time.Second

// APIKeyOffline makes a key for the configuration: the key on standard output, its hash
// on standard error.
func (p *Program) APIKeyOffline() error {
	key := apikey.New()
	fmt.Fprintln(p.Stderr, "For callers.NAME.keys: sha256:"+hex.EncodeToString(key.Hash[:]))
	_, err := fmt.Fprintln(p.Stdout, key.Secret.Reveal())
	return Failed(err)
}

// NewAPIKey is a key to be made by a running process.
type NewAPIKey struct {
	// Caller is a name of the configuration; Label is for people, and may be empty.
	Caller, Label string
	// Expires is the key's life; 0: as long as the caller's keys may live.
	Expires time.Duration
}

// APIKeyNew makes a key at a running process. The key alone goes to standard output.
func (p *Program) APIKeyNew(ctx context.Context, address string, k NewAPIKey) error {
	body := map[string]any{"caller": k.Caller}
	if k.Label != "" {
		body["label"] = k.Label
	}
	if k.Expires > 0 {
		body["expires_in"] = k.Expires.String()
	}
	return p.showNewKey(ctx, address, "admin/keys", body)
}

// APIKeyRotate makes a key in the place of another, which lives on for the overlap.
func (p *Program) APIKeyRotate(ctx context.Context, address, id string, overlap time.Duration) error {
	return p.showNewKey(ctx, address, "admin/keys/"+url.PathEscape(id)+"/rotate", map[string]any{"overlap": overlap.String()})
}

func (p *Program) showNewKey(ctx context.Context, address, path string, body any) error {
	var made struct {
		ID, Key   string
		ExpiresAt time.Time `json:"expires_at"`
	}
	if err := p.askKeys(ctx, http.MethodPost, address, path, body, &made); err != nil {
		return err
	}
	ends := "it has no end"
	if !made.ExpiresAt.IsZero() {
		ends = "it ends at " + made.ExpiresAt.Format(time.RFC3339)
	}
	fmt.Fprintf(p.Stderr, "Key %s; %s. It is not shown again.\n", made.ID, ends)
	_, err := fmt.Fprintln(p.Stdout, made.Key)
	return Failed(err)
}

// APIKeyRevoke ends a key.
func (p *Program) APIKeyRevoke(ctx context.Context, address, id string) error {
	return p.askKeys(ctx, http.MethodDelete, address, "admin/keys/"+url.PathEscape(id), nil, nil)
}

// APIKeyList lists the keys of a caller, of all where it is empty, one on each line.
func (p *Program) APIKeyList(ctx context.Context, address, caller string) error {
	var list []struct {
		ID, Caller, Label string
		CreatedAt         time.Time `json:"created_at"`
		ExpiresAt         time.Time `json:"expires_at"`
		LastUsed          time.Time `json:"last_used"`
	}
	path := "admin/keys"
	if caller != "" {
		path += "?caller=" + url.QueryEscape(caller)
	}
	if err := p.askKeys(ctx, http.MethodGet, address, path, nil, &list); err != nil {
		return err
	}
	for _, k := range list {
		fmt.Fprintf(p.Stdout, "%s  %-20s made %s  ends %s  used %s  %s\n", k.ID, k.Caller, day(k.CreatedAt), day(k.ExpiresAt), day(k.LastUsed), plain(k.Label))
	}
	return nil
}

func day(t time.Time) string {
	if t.IsZero() {
		return "-         "
	}
	return t.Format(time.DateOnly)
}

// plain is text that moves no terminal's cursor.
func plain(s string) string {
	b := bytes.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '?'
		}
		return r
	}, []byte(s))
	return string(b)
}

// askKeys asks the admin listener. What it answers to a refusal is its own words.
func (p *Program) askKeys(ctx context.Context, method, address, path string, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, keysLimit)
	defer cancel()
	at, via, err := admin.At(address)
	if err != nil {
		return err
	}
	token, _ := p.Getenv(adminTokenVariable)
	if token == "" {
		return errors.New("the admin token is missing: set " + adminTokenVariable)
	}
	content, _ := json.Marshal(body) // maps and texts: cannot fail
	request, err := http.NewRequestWithContext(ctx, method, at.JoinPath("/").String()+path, bytes.NewReader(content))
	if err != nil {
		return Failure{err}
	}
	request.Header.Set("Authorization", "Bearer "+token)
	answer, err := (&http.Client{Transport: via}).Do(request)
	if err != nil {
		return Failure{err}
	}
	defer answer.Body.Close()
	return keysAnswer(answer, into)
}

func keysAnswer(answer *http.Response, into any) error {
	content, err := io.ReadAll(io.LimitReader(answer.Body, 16<<20))
	if err != nil {
		return Failure{err}
	}
	if answer.StatusCode/100 != 2 {
		var refused struct{ Error string }
		_ = json.Unmarshal(content, &refused) // without words the status says it
		return Failure{fmt.Errorf("%s: %s", answer.Status, plain(refused.Error))}
	}
	if into == nil {
		return nil
	}
	return Failed(json.Unmarshal(content, into))
}
