package signin

import (
	"context"
	"net/http"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/upstream"
)

// What the fuzz targets reach without a network in between.

// TakeAt takes what a pointer finds in a body.
func TakeAt(pointer string, body []byte) (v any, found bool, err error) {
	tokens, err := parsePointer(pointer)
	if err != nil {
		return nil, false, err
	}
	v, found = (&place{tokens: tokens}).take(newAnswer(200, nil, body))
	return v, found, nil
}

// ReadSignIn reads an answer as u's sign-in reads it, but for steps and a user
// that is asked for.
func (u *Upstream) ReadSignIn(status int, header http.Header, body []byte, now time.Time) (*SignedIn, error) {
	a := newAnswer(status, header, body)
	next, err := u.login.rules.read(a, func(string) bool { return true })
	if err != nil || next != "" {
		return nil, err
	}
	return u.finish(context.Background(), u.login, a, &values{}, now)
}

// Fill fills in a template with one value for every name, as a header's, and says what
// the template's own text is.
func Fill(text string, v credential.Secret, taken bool) (filled string, names []string, own string, err error) {
	t := parseTemplate(text)
	from := &values{}
	for _, p := range t.parts {
		own += p.text.Reveal()
		if p.name == "" {
			continue
		}
		from.set(p.name, v, taken)
	}
	b, err := t.appendTo(nil, from, putHeader("X"))
	return string(b), t.names(), own, err
}

func (v *values) set(name string, s credential.Secret, taken bool) {
	if v.fields == nil {
		v.fields, v.kept = map[string]credential.Secret{}, map[string]credential.Secret{}
	}
	if taken {
		v.kept[name] = s
	} else {
		v.fields[name] = s
	}
}

// GivenPath is what becomes of a path that an API gave, at a host of its own.
func GivenPath(path string) (string, error) {
	r := &request{to: &Upstream{base: must(upstream.ParseURL("https://api.example.net/base"))}}
	return r.givenPath(value{secret: credential.NewSecret(path), taken: true})
}

// TraceAnswer returns all that a trace tells of an answer to u's sign-in with fields.
func (u *Upstream) TraceAnswer(fields map[string]credential.Secret, status int, header http.Header, body []byte, now time.Time) (told string) {
	ctx := WithTrace(context.Background(), func(line string) { told += line + "\n" })
	t, v, a := traceOf(ctx), &values{fields: fields}, newAnswer(status, header, body)
	t.asks(u.login.request, http.Header{}, v)
	t.hears(a)
	next, err := u.login.rules.read(a, func(string) bool { return true })
	t.decides(u.login, a, next, err)
	if err == nil {
		taken, err := u.login.places.take(a, now)
		t.takes(u.login, a, taken, err)
		if err == nil && u.user != nil && u.user.request == nil {
			_, _, _ = u.user.read(ctx, u.login.places, a, &values{credential: taken})
		}
	}
	return told
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
