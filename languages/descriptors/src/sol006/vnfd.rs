use crate::fields::Reader;
use crate::interfaces::Found;
use crate::vnfd::Vnfd;
use crate::yaml::Node;

pub(crate) fn read(_reader: &mut Reader, _root: &Node) -> Option<(Vnfd, Vec<Found>)> {
    None
}
