package mapping

import (
	"net/netip"
	"slices"
	"strings"

	"coatcheck/bff/credential"
)

// Caller is who stands behind a call: what an API that counts attempts by
// address needs to know, since ours would be everybody's.
type Caller struct {
	// Address is the browser's; {client_address}, X-Forwarded-For.
	Address netip.Addr
	// UserAgent is the browser's; {user_agent}. It may say anything.
	UserAgent string
	// RequestID names the call in logs; {request_id}, X-Request-Id.
	RequestID string
	// ForwardedHost and ForwardedProto are the host and the scheme that the
	// browser called; X-Forwarded-Host, X-Forwarded-Proto.
	ForwardedHost, ForwardedProto string
	// Program is the name of the program that calls, and ProgramKey the id of its key;
	// {caller}, {caller_key} in what goes out with a call. Empty: a person calls.
	Program, ProgramKey string
	// TraceParent is the call's place in a trace (W3C Trace Context); empty: none.
	TraceParent string
}

// maxUserAgent bounds {user_agent}, in bytes.
const maxUserAgent = 256

// Values has the value of every {name} of a request.
type Values struct {
	// Credential is what the person signed in with; nil: nobody is signed in.
	Credential *credential.Credential
	// Kept are values of earlier responses of the same sign-in.
	Kept map[string]credential.Secret
	// Fields are what the page sent.
	Fields map[string]credential.Secret
	// Caller is who stands behind the request.
	Caller Caller

	calling bool // {caller} and {caller_key} are the program's; no API may put them there
}

// find returns the value of a name, an empty one where there is none. Built-in
// names come first: no page may speak for its own address.
func (v *Values) find(name string) value {
	if v.calling && IsProgram(name) {
		return value{secret: credential.NewSecret(v.Caller.program(name))}
	}
	if s, ok := v.Caller.builtIn(name); ok {
		return value{secret: credential.NewSecret(s)}
	}
	if v.calling && name == credential.AccessToken && v.Credential.IsBound() {
		return value{} // it goes along with a proof, and never by itself (RFC 9449 §7.2)
	}
	if s := v.Credential.Value(name); !s.IsEmpty() {
		return value{secret: s, fromAPI: true}
	}
	if s := v.Kept[name]; !s.IsEmpty() {
		return value{secret: s, fromAPI: true}
	}
	return value{secret: v.Fields[name]}
}

// named is the value of something kept or sent, as it stands in an answer; false where
// there is none.
func (v *Values) named(name string) (any, bool) {
	if v == nil {
		return nil, false
	}
	found := value{secret: v.Kept[name], fromAPI: true}
	if found.secret.IsEmpty() {
		found = value{secret: v.Fields[name]}
	}
	if found.secret.IsEmpty() {
		return nil, false
	}
	return found.json(), true
}

// Has reports whether a name has a value.
func (v *Values) Has(name string) bool { return !v.find(name).secret.IsEmpty() }

// builtInNames are the names that every request knows.
var builtInNames = []string{"client_address", "user_agent", "request_id"}

// BuiltIn are the names that every request knows: the client's address, the browser's
// User-Agent and the call's id.
func BuiltIn() []string { return slices.Clone(builtInNames) }

// IsBuiltIn reports whether name is one of [BuiltIn].
func IsBuiltIn(name string) bool { return slices.Contains(builtInNames, name) }

// IsProgram reports whether name is a program's that calls: caller or caller_key. Only
// what goes out with a call knows them.
func IsProgram(name string) bool { return name == "caller" || name == "caller_key" }

func (c *Caller) program(name string) string {
	if name == "caller" {
		return c.Program
	}
	return c.ProgramKey
}

// builtIn returns the value of a name that every request knows.
func (c *Caller) builtIn(name string) (string, bool) {
	switch name {
	case "client_address":
		return c.address(), true
	case "user_agent":
		return printable(c.UserAgent, maxUserAgent), true
	case "request_id":
		return printable(c.RequestID, maxUserAgent), true
	}
	return "", false
}

func (c *Caller) address() string {
	if !c.Address.IsValid() {
		return ""
	}
	return c.Address.Unmap().WithZone("").String()
}

// printable drops all but printable ASCII and cuts to limit bytes.
func printable(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s[:min(len(s), limit)])
}
