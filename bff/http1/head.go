package http1

import (
	"bytes"
	"errors"
	"io"
)

// maxFields bounds the fields of one head; more is [ErrTooLarge]. Browsers send
// about twenty.
const maxFields = 256

// Field is one line of a head: the name as it was sent, the value without the
// white space around it. Both are parts of the head they came from.
type Field struct{ Name, Value []byte }

// Head is the head of one message. Its slices are its own memory, valid until the
// next read into the same Head.
type Head struct {
	raw []byte
	// Fields are all lines, in their order.
	Fields []Field
	names  names // of Fields; 0: not known

	// Minor is the minor version: 0 or 1.
	Minor int
	// Method and Target are a request's, as they were sent.
	Method, Target []byte
	// Host is a request's one Host, as it was sent.
	Host []byte
	// Status is an answer's, 100 to 599.
	Status int

	// Length is Content-Length, or -1 where there is none. Chunked says that the
	// body is chunked; then Length is -1.
	Length  int64
	Chunked bool
	// Close and KeepAlive are what Connection says.
	Close, KeepAlive bool
}

// Get returns the value of the first field called lower (a name in lower case) and
// how many there are.
func (h *Head) Get(lower string) (value []byte, count int) {
	if h.names.lack(lower) {
		return nil, 0
	}
	for i := range h.Fields {
		if f := &h.Fields[i]; len(f.Name) == len(lower) && EqualFold(f.Name, lower) {
			if count == 0 {
				value = f.Value
			}
			count++
		}
	}
	return value, count
}

// ReadRequest reads a request's head of at most limit bytes. One empty line before
// it is skipped (RFC 9112 §2.2). io.EOF: the connection ended between two requests;
// io.ErrUnexpectedEOF: inside a head.
func (h *Head) ReadRequest(r *Reader, limit int) error {
	if err := h.read(r, limit, true); err != nil {
		return err
	}
	line, rest := cutLine(h.raw)
	if err := h.requestLine(line); err != nil {
		return err
	}
	if err := h.fields(rest); err != nil {
		return err
	}
	if h.Chunked && h.Minor == 0 {
		return errCoding // RFC 9112 §6.1: a framing that HTTP/1.0 does not know
	}
	return h.oneHost()
}

// ReadResponse reads an answer's head of at most limit bytes.
func (h *Head) ReadResponse(r *Reader, limit int) error {
	if err := h.read(r, limit, false); err != nil {
		return err
	}
	line, rest := cutLine(h.raw)
	if err := h.statusLine(line); err != nil {
		return err
	}
	return h.fields(rest)
}

// read copies one whole head out of r: the bytes up to and with the empty line.
func (h *Head) read(r *Reader, limit int, request bool) error {
	for seen := 0; ; {
		b := r.Buffered()
		if request && len(b) >= 2 && b[0] == '\r' && b[1] == '\n' {
			request = false // one empty line, no more
			r.Discard(2)
			continue
		}
		if len(b) > 0 && classes[b[0]]&classToken == 0 && !(request && b[0] == '\r') {
			return errStart
		}
		end, line, err := headEnd(b, seen)
		if err != nil {
			return err
		}
		if end > limit || end == 0 && len(b) >= limit {
			return ErrTooLarge
		}
		if end > 0 {
			h.raw = append(h.raw[:0], b[:end]...)
			r.Discard(end)
			return nil
		}
		seen = line
		if err := fill(r, limit, len(b)); err != nil {
			return err
		}
	}
}

func fill(r *Reader, limit, had int) error {
	err := r.Fill(limit + 2)
	switch {
	case errors.Is(err, ErrFull):
		return ErrTooLarge
	case err == io.EOF && had > 0:
		return io.ErrUnexpectedEOF
	}
	return err
}

// headEnd finds the end of a head in b, searching from line, the beginning of a
// line. It returns 0 and the beginning of the last line where there is none yet.
func headEnd(b []byte, line int) (end, last int, err error) {
	for {
		i := bytes.IndexByte(b[line:], '\n')
		if i < 0 {
			return 0, line, nil
		}
		if i == 0 || b[line+i-1] != '\r' {
			return 0, 0, errLine
		}
		if i == 1 {
			return line + 2, 0, nil
		}
		line += i + 1
	}
}

// cutLine cuts the first line of b, which ends in CRLF.
func cutLine(b []byte) (line, rest []byte) {
	i := bytes.IndexByte(b, '\n')
	return b[:i-1], b[i+1:]
}

func (h *Head) requestLine(line []byte) error {
	space := bytes.IndexByte(line, ' ')
	last := bytes.LastIndexByte(line, ' ')
	if space <= 0 || last <= space+1 {
		return errStart
	}
	h.Method, h.Target = line[:space], line[space+1:last]
	if !IsToken(h.Method) {
		return errStart
	}
	if !all(h.Target, classTarget) {
		return errTarget
	}
	return h.version(line[last+1:])
}

func (h *Head) statusLine(line []byte) error {
	// A missing space behind the code is common where there is no reason phrase.
	if len(line) < 12 || line[8] != ' ' || len(line) > 12 && line[12] != ' ' {
		return errStart
	}
	if err := h.version(line[:8]); err != nil {
		return err
	}
	h.Status = 0
	for _, c := range line[9:12] {
		if c < '0' || c > '9' {
			return errStatus
		}
		h.Status = 10*h.Status + int(c-'0')
	}
	if h.Status < 100 || h.Status > 599 {
		return errStatus
	}
	if !all(line[12:], classValue) {
		return errStart
	}
	return nil
}

func (h *Head) version(b []byte) error {
	switch string(b) {
	case "HTTP/1.1":
		h.Minor = 1
	case "HTTP/1.0":
		h.Minor = 0
	default:
		return errVersion
	}
	return nil
}

// fields reads the lines behind the first, up to the empty one.
func (h *Head) fields(b []byte) error {
	h.Fields, h.names = h.Fields[:0], 0
	h.Length, h.Chunked, h.Close, h.KeepAlive = -1, false, false, false
	for len(b) > 2 {
		var line []byte
		line, b = cutLine(b)
		field, err := parseField(line)
		if err != nil {
			return err
		}
		if len(h.Fields) == maxFields {
			return ErrTooLarge
		}
		h.Fields = append(h.Fields, field)
		h.names.add(field.Name)
		if err := h.framing(field); err != nil {
			return err
		}
	}
	if h.Chunked && h.Length >= 0 {
		return errTwoFramings // RFC 9112 §6.3: ought to be handled as an error
	}
	return nil
}

func parseField(line []byte) (Field, error) {
	colon := bytes.IndexByte(line, ':')
	if line[0] == ' ' || line[0] == '\t' {
		return Field{}, errFold
	}
	if colon <= 0 || !all(line[:colon], classToken) {
		return Field{}, errName
	}
	value := TrimOWS(line[colon+1:])
	if !all(value, classValue) {
		return Field{}, errValue
	}
	return Field{Name: line[:colon], Value: value}, nil
}

// framing takes note of the fields that say where the message ends.
func (h *Head) framing(f Field) error {
	switch len(f.Name) {
	case len("content-length"):
		if EqualFold(f.Name, "content-length") {
			return h.length(f.Value)
		}
	case len("transfer-encoding"):
		if EqualFold(f.Name, "transfer-encoding") {
			// Codings have no case (RFC 9112 §7), and some APIs write Chunked. From
			// browsers it comes in one way; anything else is somebody's experiment.
			known := EqualFold(f.Value, "chunked") && (h.Status > 0 || string(f.Value) == "chunked")
			if h.Chunked || !known {
				return errCoding
			}
			h.Chunked = true
		}
	case len("connection"):
		if EqualFold(f.Name, "connection") {
			h.connection(f.Value)
		}
	}
	return nil
}

// length takes one decimal number below 10^18; a second one, even the same, is refused.
func (h *Head) length(value []byte) error {
	if h.Length >= 0 || len(value) == 0 || len(value) > 18 {
		return errLength
	}
	n := int64(0)
	for _, c := range value {
		if c < '0' || c > '9' {
			return errLength
		}
		n = 10*n + int64(c-'0')
	}
	h.Length = n
	return nil
}

func (h *Head) connection(value []byte) {
	EachListMember(value, func(option []byte) {
		switch {
		case EqualFold(option, "close"):
			h.Close = true
		case EqualFold(option, "keep-alive"):
			h.KeepAlive = true
		}
	})
}

// ConnectionNames reports whether some Connection field names this one as hop-by-hop
// (RFC 9110 §7.6.1).
func (h *Head) ConnectionNames(name []byte) bool {
	for i := range h.Fields {
		if f := &h.Fields[i]; EqualFold(f.Name, "connection") && ListHolds(f.Value, name) {
			return true
		}
	}
	return false
}

// ListHolds reports whether a comma-separated list has this member, without regard to
// case.
func ListHolds(list, member []byte) (found bool) {
	EachListMember(list, func(m []byte) { found = found || EqualFoldBytes(m, member) })
	return found
}

// EachListMember calls f for every member of a comma-separated list (RFC 9110 §5.6.1).
func EachListMember(list []byte, f func([]byte)) {
	for len(list) > 0 {
		member := list
		if i := bytes.IndexByte(list, ','); i >= 0 {
			member, list = list[:i], list[i+1:]
		} else {
			list = nil
		}
		if member = TrimOWS(member); len(member) > 0 {
			f(member)
		}
	}
}

func (h *Head) oneHost() error {
	host, count := h.Get("host")
	if count != 1 || !isHost(host) {
		return errHost
	}
	h.Host = host
	return nil
}

// Values returns the values of the fields called name, without regard to case, in their
// order. It allocates; the hot path uses [Head.Get].
func (h *Head) Values(name string) []string {
	var values []string
	for i := range h.Fields {
		if f := &h.Fields[i]; len(f.Name) == len(name) && EqualFoldBytes(f.Name, []byte(name)) {
			values = append(values, string(f.Value))
		}
	}
	return values
}
