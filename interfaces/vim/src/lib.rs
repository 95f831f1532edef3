//! manifold-vim-interface: being built.
