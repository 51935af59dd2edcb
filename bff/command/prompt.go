package command

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"coatcheck/bff/credential"
	"coatcheck/configs"
	"coatcheck/upstream/mapping"

	"golang.org/x/term"
)

// prompter asks for sign-in fields: at a terminal without echo where they are
// secrets, else one line each.
type prompter struct {
	terminal *os.File // nil: stdin is none
	lines    *bufio.Reader
	out      io.Writer
}

func newPrompter(in io.Reader, out io.Writer) *prompter {
	p := &prompter{lines: bufio.NewReader(in), out: out}
	if f, ok := in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.terminal = f
	}
	return p
}

// fields asks for every field; an optional one ("otp?") may be left empty.
func (p *prompter) fields(names []string) (map[string]credential.Secret, error) {
	all := map[string]credential.Secret{}
	for _, written := range names {
		name, optional := configs.FieldName(written)
		text, err := p.field(name, optional)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", name, err)
		}
		if text == "" && !optional {
			return nil, fmt.Errorf("field %s is empty", name)
		}
		if text != "" {
			if all[name], err = fieldValue(written, text); err != nil {
				return nil, fmt.Errorf("field %s: %w", name, err)
			}
		}
	}
	return all, nil
}

// fieldValue is what a page would send for the field.
func fieldValue(declared, text string) (credential.Secret, error) {
	switch kind, _ := configs.FieldKind(declared); kind {
	case configs.BoolField:
		if text != "true" && text != "false" {
			return credential.Secret{}, errors.New("true or false is expected")
		}
	case configs.NumberField:
		if !json.Valid([]byte(text)) || strings.Trim(text, "+-.eE0123456789") != "" {
			return credential.Secret{}, errors.New("not a number")
		}
	default:
		return credential.NewSecret(text), nil
	}
	return mapping.TypedField(text), nil
}

func (p *prompter) field(name string, optional bool) (string, error) {
	note := ""
	if optional {
		note = " (may be empty)"
	}
	fmt.Fprintf(p.out, "%s%s: ", name, note)
	if p.terminal != nil && !isOpen(name) {
		typed, err := term.ReadPassword(int(p.terminal.Fd()))
		fmt.Fprintln(p.out)
		return string(typed), err
	}
	line, err := p.lines.ReadString('\n')
	if p.terminal == nil {
		fmt.Fprintln(p.out)
	}
	if errors.Is(err, io.EOF) && (line != "" || optional) {
		err = nil
	}
	return strings.TrimRight(line, "\r\n"), err
}

// isOpen tells fields that may be seen while they are typed. What is not known to be
// harmless is a secret.
func isOpen(name string) bool {
	switch strings.ToLower(name) {
	case "email", "username", "user", "login", "name", "identifier", "phone", "tenant", "account":
		return true
	}
	return false
}
