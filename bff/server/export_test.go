package server

import "errors"

// Lose takes the configuration away, so that the next call meets a fault at once.
func Lose(s *Server) (back func()) {
	was := s.current.Swap(nil)
	return func() { s.current.Store(was) }
}

// ReadBroken reads a stream that lacks half of its parts.
func ReadBroken(s *Server) error {
	x := new(exchange)
	x.server = s
	_, err := (&stream{x: x}).Read(make([]byte, 1))
	return err
}

// RunBroken runs a tunnel without its ends.
func RunBroken(s *Server) error {
	t := &tunnel{fault: s.fault}
	t.run()
	if t.code == 0 {
		return nil
	}
	return errors.New("ended")
}
