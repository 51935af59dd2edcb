package server

// Draining reports whether every answer is the last of its connection.
func Draining(s *Server) bool { return s.draining.Load() }

// Lose takes the configuration away, so that the next call meets a fault at once.
func Lose(s *Server) (back func()) {
	was := s.current.Swap(nil)
	return func() { s.current.Store(was) }
}

// ReadBroken reads a stream that lacks half of its parts.
func ReadBroken(s *Server) error {
	_, err := (&streamed{&exchange{server: s}}).Read(make([]byte, 1))
	return err
}
