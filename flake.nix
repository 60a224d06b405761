{
  description = "Finds leaked Twilio credentials in code and git history, proves which still work, and takes them out of service";

  # With Rust 1.94 or newer.
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs = { self, nixpkgs }:
    let
      manifest = (builtins.fromTOML (builtins.readFile ./Cargo.toml)).package;
      systems = [ "x86_64-linux" "aarch64-linux" "x86_64-darwin" "aarch64-darwin" ];
      package = pkgs: pkgs.rustPlatform.buildRustPackage {
        pname = manifest.name;
        inherit (manifest) version;
        src = self;
        cargoLock.lockFile = ./Cargo.lock;
        # They need browsers, databases and other package managers.
        doCheck = false;
        SIDSWEEP_COMMIT = self.rev or "";
        nativeBuildInputs = [ pkgs.installShellFiles pkgs.makeWrapper ];
        postInstall = ''
          $out/bin/sidsweep man --dir man
          installManPage man/*.1
          installShellCompletion --cmd sidsweep \
            --bash <($out/bin/sidsweep completions bash) \
            --zsh <($out/bin/sidsweep completions zsh) \
            --fish <($out/bin/sidsweep completions fish)
          wrapProgram $out/bin/sidsweep --suffix PATH : ${pkgs.lib.makeBinPath [ pkgs.git ]}
        '';
        meta = {
          inherit (manifest) description;
          homepage = manifest.repository;
          license = with pkgs.lib.licenses; [ mit asl20 ];
          mainProgram = manifest.name;
        };
      };
    in {
      packages = nixpkgs.lib.genAttrs systems (system: { default = package nixpkgs.legacyPackages.${system}; });
    };
}
