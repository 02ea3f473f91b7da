// What architectures, labelers and evaluation sets are called in tables, and how they group.
#pragma once

#include <string>
#include <string_view>

namespace remixer::reports {

// An architecture with its spatial prior. Tables select by family, kernel and prior, and put what
// is of one size together.
struct ModelName {
  std::string label;   // "DeiT-nano"
  std::string family;  // "deit", "mixer", "convmixer"; an unknown architecture is its own
  std::string size;    // "nano", "s16", "512_8"
  std::string kernel;  // "shared" or "full" of ConvMixer, else empty
  std::string prior;   // "none" or "convit"
  bool known = false;
  int order = 0;  // known ones as in the paper, then the rest
};
ModelName model_name(std::string_view architecture, std::string_view spatial_prior);

struct LabelerName {
  std::string label;             // "ReLabel"
  bool test_time_boxes = false;  // it was given the boxes of the test images
  int order = 0;                 // plain first, then as in the paper, then the rest
};
LabelerName labeler_name(std::string_view labeler);

}  // namespace remixer::reports
