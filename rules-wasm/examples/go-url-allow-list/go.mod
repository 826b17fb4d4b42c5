module go-url-allow-list

go 1.24
