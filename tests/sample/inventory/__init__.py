"""What an account of Huawei Cloud has: servers, networks, volumes, tags, users."""
