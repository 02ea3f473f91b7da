#include "core/models/registry.h"

#include <string>

#include "core/base/error.h"

namespace remixer::models {
namespace {

Architecture deit(std::string_view name, int64_t image, int64_t patch, int64_t dim, int64_t depth,
                  int64_t heads, int64_t prior_local_blocks) {
  return {.name = name,
          .family = Family::kVisionTransformer,
          .image_size = image,
          .patch = patch,
          .dim = dim,
          .depth = depth,
          .heads = heads,
          .qkv_bias = true,
          .prior_local_blocks = prior_local_blocks};
}

Architecture convit(std::string_view name, int64_t dim, int64_t heads, bool qkv_bias) {
  return {.name = name,
          .family = Family::kVisionTransformer,
          .image_size = 224,
          .patch = 16,
          .dim = dim,
          .depth = 12,
          .heads = heads,
          .qkv_bias = qkv_bias,
          .local_blocks = 10,
          .prior_local_blocks = 10};
}

Architecture mixer(std::string_view name, int64_t image, int64_t patch, int64_t dim,
                   int64_t depth) {
  return {.name = name,
          .family = Family::kMlpMixer,
          .image_size = image,
          .patch = patch,
          .dim = dim,
          .depth = depth};
}

Architecture convmixer(std::string_view name, int64_t image, int64_t patch, int64_t dim,
                       int64_t depth, int64_t kernel, bool shared) {
  return {.name = name,
          .family = Family::kConvMixer,
          .image_size = image,
          .patch = patch,
          .dim = dim,
          .depth = depth,
          .kernel = kernel,
          .shared_kernel = shared};
}

}  // namespace

const std::vector<Architecture>& architectures() {
  static const std::vector<Architecture> table{
      convit("convit_base", 768, 16, false),
      convit("convit_small", 432, 9, false),
      convit("convit_tiny", 192, 4, false),
      convmixer("convmixer_512_8", 224, 16, 512, 8, 9, true),
      convmixer("convmixer_512_8_full", 224, 16, 512, 8, 9, false),
      convmixer("convmixer_nano_patch4_32", 32, 4, 64, 4, 5, true),
      convmixer("convmixer_nano_patch4_32_full", 32, 4, 64, 4, 5, false),
      deit("deit_base_patch16_224", 224, 16, 768, 12, 12, 10),
      deit("deit_nano_patch4_32", 32, 4, 64, 4, 4, 3),
      convit("deit_small_convit", 384, 6, true),
      deit("deit_small_patch16_224", 224, 16, 384, 12, 6, 10),
      deit("deit_tiny_patch16_224", 224, 16, 192, 12, 3, 10),
      mixer("mixer_b16_224", 224, 16, 768, 12),
      mixer("mixer_nano_patch4_32", 32, 4, 64, 4),
      mixer("mixer_s16_224", 224, 16, 512, 8),
  };
  return table;
}

const Architecture& find_architecture(std::string_view name) {
  const std::string_view family = name.substr(0, name.find('_'));
  std::string all, close;
  for (const Architecture& architecture : architectures()) {
    if (architecture.name == name) return architecture;
    all.append(all.empty() ? "" : ", ").append(architecture.name);
    if (family.empty() || !architecture.name.starts_with(family)) continue;
    close.append(close.empty() ? "" : ", ").append(architecture.name);
  }
  fail_input("architecture '{}' is not known; there are {}", name, close.empty() ? all : close);
}

}  // namespace remixer::models
