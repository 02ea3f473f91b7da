// SPDX-License-Identifier: Apache-2.0
#include "experiments/spec/architectures.h"

#include "base/error.h"
#include "base/nearest_name.h"
#include "experiments/spec/extensions.h"

namespace remixer::experiments {
namespace {

constexpr int64_t kDeitVersion = 1, kMixerVersion = 1, kConvMixerVersion = 1, kConvitVersion = 1;

Architecture deit(const char* name, int64_t image, int64_t patch, int64_t dim, int64_t depth,
                  int64_t heads, int64_t prior_local_blocks) {
  return {.name = name,
          .family = "deit",
          .image_size = image,
          .patch = patch,
          .version = kDeitVersion,
          .dim = dim,
          .depth = depth,
          .heads = heads,
          .qkv_bias = true,
          .prior_local_blocks = prior_local_blocks};
}

Architecture convit(const char* name, int64_t dim, int64_t heads, bool qkv_bias) {
  return {.name = name,
          .family = "convit",
          .image_size = 224,
          .patch = 16,
          .version = kConvitVersion,
          .dim = dim,
          .depth = 12,
          .heads = heads,
          .qkv_bias = qkv_bias,
          .local_blocks = 10,
          .prior_local_blocks = 10};
}

Architecture mixer(const char* name, int64_t image, int64_t patch, int64_t dim, int64_t depth) {
  return {.name = name,
          .family = "mixer",
          .image_size = image,
          .patch = patch,
          .version = kMixerVersion,
          .dim = dim,
          .depth = depth};
}

Architecture convmixer(const char* name, int64_t image, int64_t patch, int64_t dim, int64_t depth,
                       int64_t kernel, bool shared, bool relu = false) {
  return {.name = name,
          .family = "convmixer",
          .image_size = image,
          .patch = patch,
          .version = kConvMixerVersion,
          .dim = dim,
          .depth = depth,
          .kernel = kernel,
          .shared_kernel = shared,
          .relu = relu};
}

std::vector<Architecture> built_in() {
  return {
      deit("deit_nano_patch4_32", 32, 4, 64, 4, 4, 3),
      deit("deit_micro_patch8_64", 64, 8, 192, 6, 3, 5),
      deit("deit_tiny_patch16_224", 224, 16, 192, 12, 3, 10),
      deit("deit_small_patch16_224", 224, 16, 384, 12, 6, 10),
      deit("deit_base_patch16_224", 224, 16, 768, 12, 12, 10),
      deit("deit_base_patch16_384", 384, 16, 768, 12, 12, 10),
      mixer("mixer_nano_patch4_32", 32, 4, 64, 4),
      mixer("mixer_micro_patch8_64", 64, 8, 192, 6),
      mixer("mixer_s16_224", 224, 16, 512, 8),
      mixer("mixer_b16_224", 224, 16, 768, 12),
      convmixer("convmixer_nano_patch4_32", 32, 4, 64, 4, 5, true),
      convmixer("convmixer_nano_patch4_32_full", 32, 4, 64, 4, 5, false),
      convmixer("convmixer_micro_patch8_64", 64, 8, 192, 6, 5, true),
      convmixer("convmixer_micro_patch8_64_full", 64, 8, 192, 6, 5, false),
      convmixer("convmixer_512_8", 224, 16, 512, 8, 9, true),
      convmixer("convmixer_512_8_full", 224, 16, 512, 8, 9, false),
      // The published ImageNet models, under timm's names.
      convmixer("convmixer_768_32", 224, 7, 768, 32, 7, false, /*relu=*/true),
      convmixer("convmixer_1024_20_ks9_p14", 224, 14, 1024, 20, 9, false),
      convmixer("convmixer_1536_20", 224, 7, 1536, 20, 9, false),
      convit("convit_tiny", 192, 4, false),
      convit("convit_small", 432, 9, false),
      convit("convit_base", 768, 16, false),
      convit("deit_small_convit", 384, 6, true),
  };
}

std::vector<Architecture> with_extensions() {
  std::vector<Architecture> all = built_in(), added;
  describe_extensions(added);
  for (Architecture& architecture : added) {
    for (const Architecture& known : all) {
      if (known.name == architecture.name) {
        fail_input("an extension describes architecture '{}', which there is already: rename it",
                   architecture.name);
      }
    }
    if (architecture.family.empty() || architecture.patch < 1 || architecture.image_size < 1 ||
        architecture.image_size % architecture.patch != 0) {
      fail_input(
          "architecture '{}' of an extension needs a family, and an image_size that its patch "
          "divides",
          architecture.name);
    }
    all.push_back(std::move(architecture));
  }
  return all;
}

}  // namespace

const std::vector<Architecture>& architectures() {
  static const std::vector<Architecture> all = with_extensions();
  return all;
}

const Architecture& find_architecture(std::string_view name) {
  std::vector<std::string> names;
  for (const Architecture& architecture : architectures()) {
    if (architecture.name == name) return architecture;
    names.push_back(architecture.name);
  }
  fail_input("{}", unknown_name("architecture", name, names));
}

}  // namespace remixer::experiments
