//! Reads supergraphs and answers questions about them.
