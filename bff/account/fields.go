package account

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"strconv"
	"strings"
	"unicode/utf8"

	"coatcheck/bff/call"
	"coatcheck/bff/credential"
	"coatcheck/bff/gate"
	"coatcheck/bff/http1"
	"coatcheck/bff/problem"
	"coatcheck/configs"
	"coatcheck/upstream/mapping"
)

// MaxBody is the largest sign-in body, in bytes.
const MaxBody = 8 << 10

// readLogin reads a sign-in: one flat JSON object without empty strings, no name twice. What
// a lenient reader would repair is refused, because two readers that repair
// differently sign in two different people.
func readLogin(c *call.Call) (map[string]credential.Secret, error) {
	if err := CheckBody(c.Request.Head); err != nil {
		return nil, err
	}
	c.In.LimitBody(MaxBody)
	body, err := io.ReadAll(c.In)
	if err != nil {
		return nil, gate.BodyError(err)
	}
	fields, ok := parseLogin(body)
	if !ok {
		err = badRequest(bodyFault(body))
	}
	clear(body)
	if !ok {
		return nil, err
	}
	return fields, nil
}

// readExchange is readLogin where no body at all says the same as an empty object.
func readExchange(c *call.Call) (map[string]credential.Secret, error) {
	if !c.In.HasBody() {
		return nil, nil
	}
	return readLogin(c)
}

// CheckBody looks at what a sign-in announces of its body: application/json in UTF-8 and
// nothing else, because a page of another origin can send any other type without a
// preflight, and at most [MaxBody] bytes. nil: it may be read. Errors are of the kind
// [problem.Problem].
func CheckBody(h *http1.Head) error {
	value, n := h.Get("content-type")
	_, encodings := h.Get("content-encoding")
	switch {
	case n != 1:
		return problem.UnsupportedMediaType.Because("not exactly one Content-Type")
	case encodings > 0:
		return problem.UnsupportedMediaType.Because("the body has a Content-Encoding")
	}
	kind, params, err := mime.ParseMediaType(string(value))
	charset, has := params["charset"]
	if err != nil || kind != "application/json" || has && !strings.EqualFold(charset, "utf-8") || len(params) > 0 && !has || len(params) > 1 {
		return problem.UnsupportedMediaType.Because("Content-Type is not application/json in UTF-8")
	}
	if h.Length > MaxBody {
		return problem.BodyTooLarge.Because("a sign-in has 8 KiB at most")
	}
	return nil
}

// parseLogin reads one flat JSON object of strings that are not empty, booleans and
// numbers, no name twice.
func parseLogin(body []byte) (map[string]credential.Secret, bool) {
	if !utf8.Valid(body) || !soundEscapes(body) {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, false
	}
	fields := map[string]credential.Secret{}
	for d.More() {
		name, ok := stringToken(d)
		value, ok2 := fieldToken(d)
		_, twice := fields[name]
		if !ok || !ok2 || twice {
			return nil, false
		}
		fields[name] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, false
	}
	_, err := d.Token()
	return fields, errors.Is(err, io.EOF)
}

func stringToken(d *json.Decoder) (string, bool) {
	t, err := d.Token()
	s, ok := t.(string)
	return s, ok && err == nil
}

// fieldToken reads the value of a field.
func fieldToken(d *json.Decoder) (credential.Secret, bool) {
	t, err := d.Token()
	if err != nil {
		return credential.Secret{}, false
	}
	switch v := t.(type) {
	case string:
		return credential.NewSecret(v), v != "" && strings.IndexByte(v, 0) < 0
	case bool:
		return mapping.TypedField(strconv.FormatBool(v)), true
	case json.Number:
		return mapping.TypedField(v.String()), true
	}
	return credential.Secret{}, false
}

// soundEscapes refuses a \u escape that is half a surrogate pair: the decoder would
// put U+FFFD in its place, and a password must go on unchanged.
func soundEscapes(b []byte) bool {
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' {
			continue
		}
		unit, n := escape(b[i:])
		switch {
		case unit >= 0xdc00 && unit < 0xe000:
			return false
		case unit >= 0xd800 && unit < 0xdc00:
			low, m := escape(b[i+n:])
			if low < 0xdc00 || low >= 0xe000 {
				return false
			}
			n += m
		}
		i += n - 1
	}
	return true
}

// escape reads the escape that b begins with: its code unit if it is a \u one, else
// -1, and its length.
func escape(b []byte) (unit, n int) {
	if len(b) < 2 || b[0] != '\\' {
		return -1, 1
	}
	if b[1] != 'u' || len(b) < 6 {
		return -1, 2
	}
	for i := 2; i < 6; i++ {
		v := http1.HexValue(b[i])
		if v < 0 {
			return -1, 2
		}
		unit = unit<<4 | v
	}
	return unit, 6
}

// undeclared says how the fields differ from the declared ones ("name?" may be left
// out), as an error for the log; nil: they do not. It names configured fields only:
// the names of others are bytes of the request, and one may be a password.
func undeclared(fields map[string]credential.Secret, declared []string) error {
	unknown, missing := len(fields), []string(nil)
	for _, each := range declared {
		name, optional := configs.FieldName(each)
		value, there := fields[name]
		kind, _ := configs.FieldKind(each)
		switch sent := sentKind(value); {
		case there && sent != kind:
			return badRequest(fmt.Sprintf("field %s is declared as %s, and the page sent %s", name, kind, sent))
		case there:
			unknown--
		case !optional:
			missing = append(missing, name)
		}
	}
	if unknown == 0 && missing == nil {
		return nil
	}
	return badRequest(fmt.Sprintf("fields expected: %s; missing: %s; unknown: %d",
		strings.Join(declared, ", "), cmp.Or(strings.Join(missing, ", "), "none"), unknown))
}

// sentKind is the kind of what a page sent.
func sentKind(value credential.Secret) string {
	switch json, typed := mapping.FieldJSON(value); {
	case !typed:
		return configs.TextField
	case json == "true" || json == "false":
		return configs.BoolField
	}
	return configs.NumberField
}

// badRequest is problem.BadRequest with a reason for the log, which holds no byte of the
// request.
func badRequest(reason string) error { return problem.BadRequest.Because(reason) }
