// How large an image is, without decoding it.
#pragma once

#include <filesystem>
#include <utility>

namespace remixer::labelcache {

// Width and height of a JPEG or PNG from its header. Throws InputError naming the file where there
// is none.
std::pair<int, int> image_size(const std::filesystem::path& file);

}  // namespace remixer::labelcache
