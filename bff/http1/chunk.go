package http1

import (
	"bytes"
	"io"
)

const (
	maxChunkLine = 256     // a chunk's size with its extensions
	maxTrailers  = 8 << 10 // a whole trailer section
)

// Chunks reads a chunked body (RFC 9112 §7.1) and the trailers behind it. Sizes are
// hexadecimal digits only; extensions are skipped if they are well-formed.
type Chunks struct {
	r        *Reader
	left     int64 // bytes of the current chunk
	begun    bool  // a chunk came, its CRLF is still to be read
	done     bool
	err      error // what was wrong between two chunks; it stays
	trailers Head
}

// Reset makes c read a chunked body from r.
func (c *Chunks) Reset(r *Reader) {
	c.r, c.left, c.begun, c.done, c.err = r, 0, false, false, nil
	c.trailers.Fields = c.trailers.Fields[:0]
}

// Done reports whether the last chunk and the trailers were read.
func (c *Chunks) Done() bool { return c.done }

// Trailers are the fields behind the last chunk, valid until Reset.
func (c *Chunks) Trailers() []Field { return c.trailers.Fields }

// Read implements [io.Reader]. io.EOF comes only behind a complete body; a body
// that breaks off is io.ErrUnexpectedEOF.
func (c *Chunks) Read(p []byte) (int, error) {
	if c.left == 0 {
		if err := c.next(); err != nil {
			return 0, unexpected(err)
		}
		if c.done {
			return 0, io.EOF
		}
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	if n > 0 {
		return n, nil
	}
	return 0, unexpected(err)
}

// Poll reads what is already buffered of the end of the body, without waiting: it
// reports whether the body is now complete.
func (c *Chunks) Poll() bool {
	if !c.done && c.left == 0 && bytes.HasSuffix(c.r.Buffered(), []byte("0\r\n\r\n")) {
		_ = c.next()
	}
	return c.done
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Whole reports whether the rest of the body is buffered, trailers included, so that
// reading it waits for nothing: it ends, or proves malformed. It takes nothing.
func (c *Chunks) Whole() bool {
	b, skip := c.r.Buffered(), c.left
	if c.begun {
		skip += 2
	}
	for int64(len(b)) >= skip {
		b = b[skip:]
		end := bytes.IndexByte(b, '\n')
		if end < 1 {
			return false
		}
		size, err := chunkSize(b[:end-1])
		if err != nil {
			return false
		}
		b = b[end+1:]
		if size == 0 {
			return bytes.HasPrefix(b, []byte("\r\n")) || bytes.Contains(b, []byte("\r\n\r\n"))
		}
		skip = size + 2
	}
	return false
}

// next reads up to the data of the next chunk, or to the end of the trailers.
func (c *Chunks) next() error {
	if !c.done && c.err == nil {
		c.err = c.between()
	}
	return c.err
}

func (c *Chunks) between() error {
	if c.begun {
		if line, err := c.line(2); err != nil || len(line) != 0 {
			return orChunk(err)
		}
		c.begun = false
	}
	line, err := c.line(maxChunkLine)
	if err != nil {
		return err
	}
	if c.left, err = chunkSize(line); err != nil {
		return err
	}
	if c.left == 0 {
		return c.readTrailers()
	}
	c.begun = true
	return nil
}

func orChunk(err error) error {
	if err == nil {
		return errChunk
	}
	return err
}

// line reads one line of at most max bytes, CRLF included, and returns it without.
// It is valid until the next read.
func (c *Chunks) line(max int) ([]byte, error) {
	for {
		b := c.r.Buffered()
		if i := bytes.IndexByte(b, '\n'); i >= 0 {
			if i == 0 || b[i-1] != '\r' || i+1 > max {
				return nil, errChunk
			}
			c.r.Discard(i + 1)
			return b[:i-1], nil
		}
		if len(b) >= max {
			return nil, errChunk
		}
		if err := c.r.Fill(firstSize); err != nil {
			return nil, err
		}
	}
}

// chunkSize reads up to fifteen hexadecimal digits and skips extensions.
func chunkSize(line []byte) (int64, error) {
	n, i := int64(0), 0
	for ; i < len(line); i++ {
		digit := HexValue(line[i])
		if digit < 0 {
			break
		}
		n = n<<4 | int64(digit)
	}
	if i == 0 || i > 15 || i < len(line) && !isExtensions(line[i:]) {
		return 0, errChunk
	}
	return n, nil
}

// readTrailers reads the fields behind the last chunk, into memory of their own.
func (c *Chunks) readTrailers() error {
	c.trailers.raw, c.trailers.Fields = c.trailers.raw[:0], c.trailers.Fields[:0]
	for {
		line, err := c.line(firstSize)
		if err != nil {
			return err
		}
		if len(line) == 0 {
			break
		}
		if len(c.trailers.raw)+len(line) > maxTrailers {
			return errTrailer
		}
		c.trailers.raw = append(append(c.trailers.raw, line...), '\r', '\n')
	}
	for rest := c.trailers.raw; len(rest) > 0; {
		var line []byte
		line, rest = cutLine(rest)
		field, err := parseField(line)
		if err != nil {
			return err
		}
		if len(c.trailers.Fields) == maxFields {
			return errTrailer
		}
		c.trailers.Fields = append(c.trailers.Fields, field)
	}
	c.done = true
	return nil
}
