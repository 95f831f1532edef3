//! The image, built for real from Debian's packages.

#![allow(clippy::unwrap_used)]

use manifold_image::{ImageError, Progress, build, built, standard_cache};

/// Built once into the standard cache (fetching what is not there), then found without building or fetching anything.
#[test]
fn an_image_is_built_once_and_found_again() {
    let cache = standard_cache(true);
    let image = match build(&cache, &mut |step| println!("{step:?}")) {
        Ok(image) => image,
        Err(error @ (ImageError::NoPackageLists { .. } | ImageError::NoTool { .. })) => {
            eprintln!("not run: needs apt's package lists ({error})");
            return;
        }
        Err(error) => panic!("{error}: {:?}", std::error::Error::source(&error)),
    };
    for path in [&image.kernel, &image.initramfs, &image.disk] {
        assert!(std::fs::metadata(path).unwrap().len() > 1_000_000, "{path:?}");
    }
    let mut steps = Vec::new();
    assert_eq!(build(&cache, &mut |step| steps.push(step)).unwrap(), image);
    assert_eq!(steps, Vec::<Progress>::new());
    assert!(built(&cache).is_some());
}

#[test]
fn an_empty_cache_holds_no_image() {
    let cache = tempfile::tempdir().unwrap();
    assert_eq!(built(cache.path()), None);
}
