package read

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"

	"coatcheck/configs"
)

// Bounds on a file. They are far above any real configuration; they keep a
// hostile or broken one (alias bombs, a million brackets) from taking the process.
const (
	maxFile   = 4 << 20    // bytes
	maxTokens = 500_000    // before parsing
	maxKeys   = 40_000_000 // squares of the mappings' sizes, summed: so the library's time grows
	maxNodes  = 1_000_000  // values, after aliases
	maxCopies = 20_000     // values that aliases add
	maxDepth  = 64         // levels, after aliases
)

// readDocument turns a file's text into a tree. The tree is nil where YAML itself is broken.
func readDocument(file string, content []byte) (root *node, faults []configs.Fault) {
	r := &reader{file: file, anchors: map[string]*node{}}
	defer func() { // the library leaves holes in its tree where a file is broken in an unusual way
		if recover() != nil {
			r.fault(configs.Position{Line: 1, Column: 1}, "", "not valid YAML", "")
			root, faults = nil, r.faults
		}
	}()
	body := r.parse(content)
	if body == nil {
		return nil, r.faults
	}
	root = r.node("", body)
	if root.kind == nothing {
		r.fault(configs.Position{Line: 1, Column: 1}, "", "the file is empty", "start with configs/minimal.yaml")
		return nil, r.faults
	}
	if root.kind != table {
		r.fault(root.at, "", "not a configuration: expected a mapping of keys to values", "listen: \":8080\"")
		return nil, r.faults
	}
	return root, r.faults
}

// reader turns the YAML library's tree into nodes, collecting faults.
type reader struct {
	file    string
	faults  []configs.Fault
	anchors map[string]*node
	tokens  int // of the file: it has no more values than these, but for aliases
}

func (r *reader) fault(at configs.Position, path, message, hint string) {
	r.faults = append(r.faults, configs.Fault{File: r.file, Line: at.Line, Column: at.Column, Path: path, Message: message, Hint: hint})
}

// parse returns the body of the one document in content.
func (r *reader) parse(content []byte) ast.Node {
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	if message, at := unreadable(content); message != "" {
		r.fault(at, "", message, "")
		return nil
	}
	file, tokens, err := tokenizeAndParse(string(content))
	r.tokens = tokens
	if err != nil {
		r.syntax(err, content)
		return nil
	}
	var body ast.Node
	for _, doc := range file.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.DirectiveType {
			continue
		}
		if body != nil {
			r.fault(position(doc.Body), "", "more than one YAML document in the file", "remove the line with ---")
			return nil
		}
		body = doc.Body
	}
	if body == nil {
		r.fault(configs.Position{Line: 1, Column: 1}, "", "the file is empty", "start with configs/minimal.yaml")
	}
	return body
}

// unreadable finds what is no text at all, before the YAML library sees it.
func unreadable(content []byte) (message string, at configs.Position) {
	if len(content) > maxFile {
		return "the file is larger than 4 MiB", configs.Position{Line: 1, Column: 1}
	}
	for i, c := range content {
		if c < 0x20 && c != '\n' && c != '\r' && c != '\t' || c == 0x7f {
			return "a control character", lineOf(content, i)
		}
	}
	if !utf8.Valid(content) {
		return "the file is not UTF-8", configs.Position{Line: 1, Column: 1}
	}
	return "", configs.Position{}
}

func lineOf(content []byte, offset int) configs.Position {
	before := content[:offset]
	return configs.Position{Line: bytes.Count(before, []byte("\n")) + 1, Column: offset - bytes.LastIndexByte(before, '\n')}
}

// tokenizeAndParse guards the library: it recurses, so depth is bounded before
// it starts (a stack overflow cannot be recovered from), and a panic of its own
// is an error like any other.
func tokenizeAndParse(content string) (file *ast.File, count int, err error) {
	defer func() {
		if recover() != nil {
			file, err = nil, errors.New("not valid YAML")
		}
	}()
	tokens := lexer.Tokenize(content)
	count = len(tokens)
	if count > maxTokens {
		return nil, count, &yaml.SyntaxError{Message: "too large for a configuration", Token: tokens[maxTokens]}
	}
	if at := tooMany(tokens); at != nil {
		return nil, count, &yaml.SyntaxError{Message: "too large for a configuration", Token: at}
	}
	if at := tooDeep(tokens); at != nil {
		return nil, count, &yaml.SyntaxError{Message: "nested too deeply", Token: at}
	}
	file, err = parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	return file, count, err
}

// syntax reports an error of the library by its place, without the excerpt of
// the file that its text carries: a secret may stand there.
func (r *reader) syntax(err error, content []byte) {
	var syntax *yaml.SyntaxError
	if !errors.As(err, &syntax) || syntax.Token == nil || syntax.Token.Position == nil {
		r.fault(configs.Position{Line: 1, Column: 1}, "", "not valid YAML", "")
		return
	}
	at := configs.Position{Line: syntax.Token.Position.Line, Column: max(syntax.Token.Position.Column, 1)}
	message := "YAML: " + syntax.Message
	if words := plainSyntax[syntax.Message]; words != "" {
		message = words
	}
	r.fault(at, "", message, syntaxHint(content, at.Line))
}

// plainSyntax are the library's messages that most people meet, in plain words.
var plainSyntax = map[string]string{
	"value is not allowed in this context":                               "indentation: this line lines up with no key above",
	"value is not allowed in this context. map key-value is pre-defined": "indentation: this line lines up with no key above",
	"mapping value is not allowed in this context":                       "YAML: a second \": \" on one line; put the value in quotes",
	"non-map value is specified":                                         "YAML: expected \"key: value\"",
}

// syntaxHint names the three mistakes that most broken files hold.
func syntaxHint(content []byte, number int) string {
	lines := strings.Split(string(content), "\n")
	if number < 1 || number > len(lines) {
		return ""
	}
	line := lines[number-1]
	switch {
	case strings.HasPrefix(strings.TrimLeft(line, " "), "\t"):
		return "indent with spaces, not tabs"
	case strings.Contains(line, "${"):
		return "inside { } and [ ] put \"${…}\" in quotes"
	case strings.ContainsAny(line, "{*&%@`"):
		return "put text with special characters in quotes"
	}
	return ""
}
