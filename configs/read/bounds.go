package read

import "github.com/goccy/go-yaml/token"

// tooMany returns the key at which the mappings of a file pass maxKeys. Each document
// counts as a key of the file.
func tooMany(tokens token.Tokens) *token.Token {
	var open mappings
	sum, documents := 0, 0
	for i, t := range tokens {
		switch t.Type {
		case token.MappingValueType:
			sum += open.key(tokens[max(i-1, 0)].Position.Column)
		case token.MappingKeyType:
			sum += open.key(t.Position.Column)
		case token.SequenceEntryType:
			open.close(t.Position.Column)
		case token.DocumentHeaderType:
			open = nil
			documents++
			sum += 2*documents - 1
		}
		if sum > maxKeys {
			return t
		}
	}
	return nil
}

// mappings are those that a line stands in, the innermost last. A key belongs to the one
// of its column, until a line begins further left.
type mappings []struct{ column, keys int }

// key takes note of a key, and returns what it adds to the square of its mapping's size.
func (m *mappings) key(column int) int {
	m.close(column)
	if last := len(*m) - 1; last < 0 || (*m)[last].column < column {
		*m = append(*m, struct{ column, keys int }{column: column})
	}
	last := &(*m)[len(*m)-1]
	last.keys++
	return 2*last.keys - 1
}

// close ends those that begin right of column.
func (m *mappings) close(column int) {
	for len(*m) > 0 && (*m)[len(*m)-1].column > column {
		*m = (*m)[:len(*m)-1]
	}
}

// tooDeep returns the token at which brackets, or the markers of one line (the
// block's other way to nest without indentation), pass maxDepth.
func tooDeep(tokens token.Tokens) *token.Token {
	brackets, markers, line := 0, 0, 0
	for _, t := range tokens {
		if t.Position.Line != line {
			line, markers = t.Position.Line, 0
		}
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			brackets++
		case token.MappingEndType, token.SequenceEndType:
			brackets--
		case token.SequenceEntryType, token.MappingKeyType, token.TagType, token.AnchorType:
			markers++
		}
		if brackets > maxDepth || brackets <= 0 && markers > maxDepth {
			return t
		}
	}
	return nil
}
