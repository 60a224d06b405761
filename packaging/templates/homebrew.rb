class Sidsweep < Formula
  desc "$short"
  homepage "$repository"
  version "$version"
  license any_of: ["MIT", "Apache-2.0"]

  on_macos do
    on_arm do
      url "$downloads/$name-v$version-aarch64-apple-darwin.tar.gz"
      sha256 "$sha256_aarch64_apple_darwin"
    end
    on_intel do
      url "$downloads/$name-v$version-x86_64-apple-darwin.tar.gz"
      sha256 "$sha256_x86_64_apple_darwin"
    end
  end

  on_linux do
    on_arm do
      url "$downloads/$name-v$version-aarch64-unknown-linux-musl.tar.gz"
      sha256 "$sha256_aarch64_unknown_linux_musl"
    end
    on_intel do
      url "$downloads/$name-v$version-x86_64-unknown-linux-musl.tar.gz"
      sha256 "$sha256_x86_64_unknown_linux_musl"
    end
  end

  def install
    bin.install "$name"
    man1.install Dir["man/*.1"]
    bash_completion.install "completions/$name.bash" => "$name"
    zsh_completion.install "completions/_$name"
    fish_completion.install "completions/$name.fish"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/$name --version")
  end
end
