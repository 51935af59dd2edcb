package http1

import "io"

// late reads into a buffer that is taken only once bytes are there.
type late struct {
	src  LateReader // nil: the source is none
	take func() ([]byte, error)
	free func()
	max  int // that the buffer may hold
}

func (l *late) reset(r *Reader, src io.Reader) {
	l.src, _ = src.(LateReader)
	if l.src != nil && l.take == nil {
		l.take, l.free = r.takeLate, r.Release
	}
}

// fillLate is Fill where there is no buffer yet; false: it is for Fill itself.
func (r *Reader) fillLate(max int) (bool, error) {
	if r.page != nil || r.late.src == nil {
		return false, nil
	}
	r.late.max = max
	n, err := r.late.src.ReadLate(r.late.take, r.late.free)
	r.w += n
	return true, err
}

func (r *Reader) takeLate() ([]byte, error) {
	if err := r.room(r.late.max); err != nil {
		return nil, err
	}
	return r.buf[:min(len(r.buf), r.late.max)], nil
}
