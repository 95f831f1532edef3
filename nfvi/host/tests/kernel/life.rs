use manifold_kernel_test::Test;

pub const TESTS: &[Test] = &[];
