package signature

import (
	"errors"
	"fmt"
)

// Fault is one thing that is wrong, or unwise, in a [Scheme].
type Fault struct {
	// Rule and Handshake count from 0; -1 where the fault is in neither.
	Rule, Handshake int
	// Path of the key below that, such as take.id.split or keys[1].
	Path string
	// Message says what is wrong, Hint what to write instead. Neither repeats a key.
	Message, Hint string
	// Warning marks what works but is unwise.
	Warning bool
}

// Error implements error.
func (f Fault) Error() string {
	where := f.Path
	if f.Rule >= 0 {
		where = fmt.Sprintf("signature[%d].%s", f.Rule, f.Path)
	} else if f.Handshake >= 0 {
		where = fmt.Sprintf("handshake[%d].%s", f.Handshake, f.Path)
	}
	return where + ": " + f.Message
}

// faults collects what is wrong with one rule or handshake.
type faults struct {
	rule, handshake int
	list            []Fault
}

func (f *faults) refuse(path, message, hint string) {
	f.list = append(f.list, Fault{Rule: f.rule, Handshake: f.handshake, Path: path, Message: message, Hint: hint})
}

func (f *faults) warn(path, message, hint string) {
	f.list = append(f.list, Fault{Rule: f.rule, Handshake: f.handshake, Path: path, Message: message, Hint: hint, Warning: true})
}

// Reason says why a call was refused: a word for logs and metrics, never for the
// answer, which is the same for all of them.
type Reason string

// The reasons.
const (
	NoProof        Reason = "no_proof"        // nothing stands where the proof should
	ProofMalformed Reason = "proof_malformed" // it is not of the encoding or length
	ProofWrong     Reason = "proof_wrong"     // no key verifies any of them
	TooMany        Reason = "too_many"        // more proofs, parts or pairs than are looked at
	Missing        Reason = "value_missing"   // a value that was signed is not there
	Twice          Reason = "value_twice"     // it stands more than once
	Malformed      Reason = "malformed"       // the body is not JSON, a pair or a time cannot be read
	NotForm        Reason = "not_form"        // a form is needed
	Stale          Reason = "stale"           // the time is too far from now
	NotAdmitted    Reason = "not_admitted"    // a line does not hold
	TooLarge       Reason = "too_large"       // the body is larger than is verified

	needsBody Reason = "needs_body" // not known before the body was read
)

// Error implements error.
func (r Reason) Error() string { return string(r) }

// RefusedError says which rule refused a call, and why. The rule is the first
// whose proof came, else the first.
type RefusedError struct {
	Rule   int    // its place in the scheme, from 0
	Reason Reason // one of the closed list
	// What names the key of the rule: proof, take.id, fresh.at, admit[0], over.
	What string
}

// Error implements error.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("signature rule %d: %s: %s", e.Rule, e.What, e.Reason)
}

// Unwrap returns the [Reason].
func (e *RefusedError) Unwrap() error { return e.Reason }

// WithoutProof reports whether a call was refused because nothing stood where a proof
// would, or its body is of another kind than one with a place for it.
func WithoutProof(err error) bool {
	var refused *RefusedError
	return errors.As(err, &refused) && refused.What == "proof" && (refused.Reason == NoProof || refused.Reason == Malformed || refused.Reason == NotForm)
}
